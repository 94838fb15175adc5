//! The protocols that programs speak to models.

/// How a program and its provider talk.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// OpenAI's Responses.
    Responses,
    /// OpenAI's Chat Completions, which many speak.
    Chat,
    /// Anthropic's Messages.
    Messages,
    /// Google's generateContent.
    Gemini,
    /// Ollama's own.
    Ollama,
}

impl Wire {
    pub const ALL: [Self; 5] =
        [Self::Responses, Self::Chat, Self::Messages, Self::Gemini, Self::Ollama];

    /// The word for it in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
            Self::Messages => "messages",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wire| wire.name() == name)
    }
}
