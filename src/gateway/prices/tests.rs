//! The table is whole, and nothing ever costs more than was set aside for it.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static ALL: LazyLock<Vec<Price>> = LazyLock::new(|| {
    let prices = Prices::ours().unwrap();
    prices.houses.values().flat_map(|models| models.values().copied()).collect()
});

fn reading(input: u64, cache_read: u64, cache_write: u64, output: u64) -> Reading {
    let tokens = Tokens { input, cache_read, cache_write, output, reasoning: 0 };
    Reading { tokens, ..Reading::default() }
}

fn price(house: &str, model: &str) -> Price {
    Prices::ours().unwrap().get(house, model).unwrap()
}

#[test]
fn our_own_table_is_whole_and_small() {
    let prices = Prices::ours().unwrap();
    let all: Vec<_> = prices.houses.values().flat_map(BTreeMap::iter).collect();
    assert!((100..=150).contains(&all.len()), "{}", all.len());
    for (name, price) in all {
        let rates = price.rates;
        assert!(rates.input.0 > 0 && rates.output.0 >= rates.input.0 / 2, "{name}");
        assert!(rates.cache_read.is_none_or(|read| read <= rates.input), "{name}");
        assert!(price.input_max >= 1_000 && price.output_max >= 1_000, "{name}");
        if let Some((above, long)) = price.long {
            assert!(above < price.input_max && long.input >= rates.input, "{name}");
        }
    }
    for house in ["openai", "anthropic", "gemini", "openrouter", "zai", "moonshot"] {
        assert!(prices.has_house(house), "{house}");
    }
}

#[test]
fn a_call_costs_what_its_tokens_cost() {
    // 3 dollars in, 15 out, 0.30 from the cache, 3.75 and 6 into it, for a million each.
    let sonnet = price("anthropic", "claude-sonnet-4-5");
    assert_eq!(sonnet.cost(&reading(1_000_000, 0, 0, 0)), Cost::Micros(3_000_000));
    assert_eq!(sonnet.cost(&reading(0, 1_000_000, 0, 0)), Cost::Micros(300_000));
    assert_eq!(sonnet.cost(&reading(0, 0, 100_000, 10)), Cost::Micros(375_150));
    let long = Reading { cache_write_long: 100_000, ..reading(0, 0, 100_000, 10) };
    assert_eq!(sonnet.cost(&long), Cost::Micros(600_150));
    assert_eq!(sonnet.cost(&reading(1, 0, 0, 0)), Cost::Micros(3));
    assert_eq!(sonnet.cost(&reading(0, 1, 0, 0)), Cost::Micros(1), "rounded up");
    assert_eq!(Price::FREE.cost(&reading(1, 1, 1, 1)), Cost::Micros(0));
}

#[test]
fn a_long_call_costs_the_long_price_throughout() {
    let gpt = price("openai", "gpt-5.6");
    assert_eq!(gpt.cost(&reading(272_000, 0, 0, 0)), Cost::Micros(1_088_000));
    assert_eq!(gpt.cost(&reading(272_001, 0, 0, 100)), Cost::Micros(2_179_008));
}

#[test]
fn a_model_that_nobody_priced_has_no_price() {
    let prices = Prices::ours().unwrap();
    assert_eq!(prices.get("anthropic", "claude-unheard-of"), None);
    assert_eq!(prices.get("nobody", "claude-sonnet-4-5"), None);
}

#[test]
fn a_price_is_exact_or_refused() {
    for (text, micros) in [("3", 3_000_000), ("0.075", 75_000), ("1.000001", 1_000_001), ("0", 0)] {
        assert_eq!(Rate::parse(text), Some(Rate(micros)), "{text}");
    }
    for text in ["", ".5", "-1", "1e3", "1,5", "0.0000001", "1000000", "1.2.3", " 1", "٣"] {
        assert_eq!(Rate::parse(text), None, "{text}");
    }
    assert!(Prices::parse("[[house]]\nname = \"m\"").unwrap_err().0.contains("no source"));
}

proptest! {
    #[test]
    fn what_is_settled_is_never_more_than_what_was_set_aside(
        at in 0_usize..1_000,
        bytes in 0_usize..3_000_000,
        shares in proptest::array::uniform4(0_u64..1_000),
        asked in proptest::option::of(1_u64..200_000),
        wrote in 0_u64..=1_000,
        media: bool,
    ) {
        let price = ALL[at % ALL.len()];
        let worst = price.worst(Bounds { body_bytes: bytes, output_max: asked, media });
        // Whatever was read is no more than was sent, and the model's own limits hold.
        let sent = u64::try_from(bytes).unwrap() + ADDED_TOKENS_MAX;
        let read = if media { price.input_max } else { sent.min(price.input_max) };
        let part = |share: u64| read / 4 * share / 1_000;
        let write = asked.unwrap_or(price.output_max) * wrote / 1_000;
        let [input, cached, writes, long] = shares;
        let used = Reading {
            cache_write_long: part(long),
            ..reading(part(input), part(cached), part(writes) + part(long), write)
        };
        prop_assert!(price.cost(&used).micros() <= worst.micros());
        let full = reading(read, 0, 0, asked.unwrap_or(price.output_max));
        prop_assert!(price.cost(&full).micros() <= worst.micros());
    }
}
