//! The kinds of secrets, one line each: how they begin and what follows.

/// One kind.
pub(super) struct Kind {
    /// With its article.
    pub(super) name: &'static str,
    pub(super) starts: &'static [&'static str],
    /// The bytes that may follow, and how many do at least. There is no greatest number: formats
    /// grow.
    pub(super) body: fn(u8) -> bool,
    pub(super) bytes_min: usize,
    /// It does not begin in the middle of a word.
    pub(super) alone: bool,
    /// Quotes and signs of assignment may stand between its name and its value.
    pub(super) assigned: bool,
    /// So many digits stand before it.
    pub(super) digits_before: usize,
    /// The rest of the line holds this; what follows else does not matter.
    pub(super) then: Option<&'static str>,
}

impl Kind {
    const fn new(
        name: &'static str,
        starts: &'static [&'static str],
        body: fn(u8) -> bool,
        bytes_min: usize,
    ) -> Self {
        Self {
            name,
            starts,
            body,
            bytes_min,
            alone: false,
            assigned: false,
            digits_before: 0,
            then: None,
        }
    }

    const fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    const fn assigned(self) -> Self {
        Self { assigned: true, ..self }
    }

    const fn after_digits(self, digits_before: usize) -> Self {
        Self { digits_before, ..self }
    }

    const fn then(self, then: &'static str) -> Self {
        Self { then: Some(then), ..self }
    }
}

fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn lower(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}

fn word(b: u8) -> bool {
    alnum(b) || b == b'_' || b == b'-'
}

fn dotted(b: u8) -> bool {
    word(b) || b == b'.'
}

fn dollars(b: u8) -> bool {
    word(b) || b == b'$'
}

fn pathed(b: u8) -> bool {
    word(b) || b == b'/'
}

fn base64(b: u8) -> bool {
    word(b) || b == b'/' || b == b'+' || b == b'='
}

fn any(_: u8) -> bool {
    true
}

pub(super) const KINDS: &[Kind] = &[
    Kind::new("a GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], dotted, 20),
    Kind::new("a GitHub token", &["github_pat_"], word, 22),
    Kind::new(
        "a GitLab token",
        &["glpat-", "gldt-", "glrt-", "glptt-", "glagent-", "gloas-", "glsoat-"],
        dotted,
        20,
    ),
    Kind::new("an AWS access key", &["AKIA", "ASIA", "ABIA", "ACCA"], upper, 16).alone(),
    Kind::new(
        "an AWS secret key",
        &[
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "aws_secret_key",
            "secretAccessKey",
            "SecretAccessKey",
        ],
        base64,
        40,
    )
    .assigned(),
    Kind::new("a Google API key", &["AIza"], word, 35).alone(),
    Kind::new("a Google client secret", &["GOCSPX-"], word, 24),
    Kind::new("a Google access token", &["ya29."], dotted, 20),
    Kind::new("an Azure storage key", &["AccountKey=", "SharedAccessKey="], base64, 40),
    Kind::new(
        "a Slack token",
        &["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"],
        dotted,
        20,
    ),
    Kind::new(
        "a Slack webhook",
        &["hooks.slack.com/services/", "hooks.slack.com/workflows/"],
        pathed,
        20,
    ),
    Kind::new(
        "a Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        pathed,
        40,
    ),
    Kind::new("a Stripe key", &["sk_live_", "rk_live_", "sk_test_", "rk_test_"], word, 16),
    Kind::new("a webhook secret", &["whsec_"], base64, 24),
    Kind::new("an OpenAI key", &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"], word, 20)
        .alone(),
    Kind::new("an OpenAI key", &["sk-"], alnum, 32).alone(),
    Kind::new("an Anthropic key", &["sk-ant-"], word, 20).alone(),
    Kind::new("an OpenRouter key", &["sk-or-"], word, 20).alone(),
    Kind::new("an xAI key", &["xai-"], alnum, 40).alone(),
    Kind::new("a Groq key", &["gsk_"], alnum, 40).alone(),
    Kind::new("a Perplexity key", &["pplx-"], alnum, 40).alone(),
    Kind::new("a Replicate token", &["r8_"], alnum, 37).alone(),
    Kind::new("a Hugging Face token", &["hf_", "api_org_"], alnum, 30).alone(),
    Kind::new("an npm token", &["npm_"], alnum, 36).alone(),
    Kind::new("a PyPI token", &["pypi-"], word, 50).alone(),
    Kind::new("a crates.io token", &["cio"], alnum, 32).alone(),
    Kind::new("a RubyGems token", &["rubygems_"], hex, 48),
    Kind::new("a NuGet key", &["oy2"], lower, 43).alone(),
    Kind::new("a Docker Hub token", &["dckr_pat_", "dckr_oat_"], word, 20),
    Kind::new("a DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"], hex, 64),
    Kind::new("a SendGrid key", &["SG."], dotted, 60).alone(),
    Kind::new("a Twilio key", &["SK", "AC"], hex, 32).alone(),
    Kind::new("a Mailgun key", &["key-"], hex, 32).alone(),
    Kind::new("a Telegram token", &[":AA"], word, 32).after_digits(8),
    Kind::new("a Databricks token", &["dapi"], hex, 32).alone(),
    Kind::new("a Linear key", &["lin_api_", "lin_oauth_"], alnum, 32),
    Kind::new("a Notion token", &["ntn_", "secret_"], alnum, 40).alone(),
    Kind::new("a Shopify token", &["shpat_", "shpss_", "shpca_", "shppa_"], hex, 32),
    Kind::new("a Square token", &["sq0atp-", "sq0csp-", "sq0idp-"], word, 22),
    Kind::new(
        "a PayPal token",
        &["access_token$production$", "access_token$sandbox$"],
        dollars,
        40,
    ),
    Kind::new("a Vault token", &["hvs.", "hvb.", "hvr."], dotted, 24).alone(),
    Kind::new("a Terraform token", &[".atlasv1."], dotted, 40),
    Kind::new("a Pulumi token", &["pul-"], hex, 40).alone(),
    Kind::new("a Grafana token", &["glc_", "glsa_"], base64, 32).alone(),
    Kind::new("a New Relic key", &["NRAK-", "NRJS-", "NRAA-", "NRII-"], alnum, 19).alone(),
    Kind::new("a Sentry token", &["sntrys_", "sntryu_"], dotted, 40),
    Kind::new("a Doppler token", &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim."], dotted, 30)
        .alone(),
    Kind::new("a Postman key", &["PMAK-"], dotted, 40).alone(),
    Kind::new("an Atlassian token", &["ATATT3", "ATCTT3"], dotted, 60).alone(),
    Kind::new("a Figma token", &["figd_", "figo_"], word, 30).alone(),
    Kind::new("an Airtable token", &["pat"], dotted, 70).alone(),
    Kind::new("a Dropbox token", &["sl.u.", "sl.B"], dotted, 60).alone(),
    Kind::new("a Supabase token", &["sbp_", "sb_secret_"], word, 30).alone(),
    Kind::new("a PlanetScale token", &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"], dotted, 32),
    Kind::new("a Fly.io token", &["fo1_", "fm1r_", "fm2_"], base64, 30).alone(),
    Kind::new("a Netlify token", &["nfp_"], alnum, 30).alone(),
    Kind::new("a Heroku key", &["HRKU-"], dotted, 30).alone(),
    Kind::new("an age key", &["AGE-SECRET-KEY-1"], upper, 50),
    Kind::new("a JSON Web Token", &["eyJ"], dotted, 40).alone().then(".eyJ"),
    Kind::new("a private key", &["-----BEGIN "], any, 0).then("PRIVATE KEY"),
    Kind::new("a private key", &["PuTTY-User-Key-File-"], any, 0).then(":"),
];
