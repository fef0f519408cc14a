//! What customers write, in five languages: data.
//!
//! Hebrew and Persian are here from the start, so that nothing downstream can take text for ASCII.

/// The language that a customer writes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
    Portuguese,
    Hebrew,
    Persian,
}

impl Language {
    /// Returns the locale that devices report.
    pub(super) const fn locale(self) -> &'static str {
        match self {
            Self::English => "en-GB",
            Self::Spanish => "es-ES",
            Self::Portuguese => "pt-PT",
            Self::Hebrew => "he-IL",
            Self::Persian => "fa-IR",
        }
    }
}

/// What somebody writes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It was good.
    Praise,
    /// It came too late, or did not come.
    Late,
    /// Somebody was rude.
    Rude,
    /// It was not what the shop said.
    NotAsDescribed,
    /// How does it work?
    Question,
    /// What the brand should make.
    Idea,
}

type Sentences = &'static [&'static str];

/// Returns what may be written about it in that language.
pub(super) const fn sentences(mood: Mood, language: Language) -> Sentences {
    match mood {
        Mood::Praise => praise(language),
        Mood::Late => late(language),
        Mood::Rude => rude(language),
        Mood::NotAsDescribed => not_as_described(language),
        Mood::Question => question(language),
        Mood::Idea => idea(language),
    }
}

const fn praise(language: Language) -> Sentences {
    match language {
        Language::English => &[
            "Arrived in two days and works perfectly. Thank you!",
            "Great quality, exactly as described.",
            "The best purchase this year, I recommend it to everyone.",
        ],
        Language::Spanish => &[
            "Llegó en dos días y funciona perfecto. ¡Gracias!",
            "Muy buena calidad, tal como se describe.",
            "La mejor compra del año, la recomiendo a todos.",
        ],
        Language::Portuguese => &[
            "Chegou em dois dias e funciona perfeitamente. Obrigada!",
            "Ótima qualidade, exatamente como descrito.",
            "A melhor compra do ano, recomendo a todos.",
        ],
        Language::Hebrew => &[
            "הגיע תוך יומיים ועובד מצוין. תודה!",
            "איכות מעולה, בדיוק כמו בתיאור.",
            "הקנייה הכי טובה השנה, ממליץ לכולם.",
        ],
        Language::Persian => &[
            "دو روزه رسید و عالی کار می‌کند. ممنون!",
            "کیفیت عالی، دقیقاً مطابق توضیحات.",
            "بهترین خرید امسال، به همه توصیه می‌کنم.",
        ],
    }
}

const fn late(language: Language) -> Sentences {
    match language {
        Language::English => &[
            "My parcel is late and nobody tells me where it is.",
            "It was promised for this week. Still nothing.",
            "The delivery came days too late.",
        ],
        Language::Spanish => &[
            "Mi paquete llega tarde y nadie me dice dónde está.",
            "Lo prometieron para esta semana. Todavía nada.",
            "La entrega llegó con días de retraso.",
        ],
        Language::Portuguese => &[
            "A minha encomenda está atrasada e ninguém me diz onde está.",
            "Prometeram para esta semana. Ainda nada.",
            "A entrega chegou com dias de atraso.",
        ],
        Language::Hebrew => &[
            "החבילה שלי מאחרת ואף אחד לא אומר לי איפה היא.",
            "הבטיחו להשבוע. עדיין כלום.",
            "המשלוח הגיע באיחור של כמה ימים.",
        ],
        Language::Persian => &[
            "بسته‌ام دیر کرده و هیچ‌کس نمی‌گوید کجاست.",
            "قول این هفته را داده بودند. هنوز خبری نیست.",
            "سفارش چند روز دیرتر رسید.",
        ],
    }
}

const fn rude(language: Language) -> Sentences {
    match language {
        Language::English => &[
            "The agent was rude and hung up on me.",
            "Nobody listened. I have never been treated like this.",
            "Unfriendly, impatient, and no help at all.",
        ],
        Language::Spanish => &[
            "El agente fue grosero y me colgó.",
            "Nadie me escuchó. Nunca me habían tratado así.",
            "Antipático, impaciente y de ninguna ayuda.",
        ],
        Language::Portuguese => &[
            "O assistente foi grosseiro e desligou-me o telefone.",
            "Ninguém me ouviu. Nunca fui tratada assim.",
            "Antipático, impaciente e não ajudou em nada.",
        ],
        Language::Hebrew => &[
            "הנציג היה גס רוח וניתק לי.",
            "אף אחד לא הקשיב. מעולם לא התייחסו אליי ככה.",
            "לא אדיב, חסר סבלנות ובלי שום עזרה.",
        ],
        Language::Persian => &[
            "پشتیبان بی‌ادب بود و تماس را قطع کرد.",
            "هیچ‌کس گوش نداد. هرگز با من این‌طور رفتار نشده بود.",
            "نامهربان، بی‌حوصله و بدون هیچ کمکی.",
        ],
    }
}

const fn not_as_described(language: Language) -> Sentences {
    match language {
        Language::English => &[
            "Not at all what the pictures show.",
            "A different colour, and smaller than described.",
        ],
        Language::Spanish => {
            &["No se parece en nada a las fotos.", "Otro color, y más pequeño de lo descrito."]
        }
        Language::Portuguese => {
            &["Nada parecido com as fotografias.", "Outra cor, e mais pequeno do que o descrito."]
        }
        Language::Hebrew => &["בכלל לא מה שרואים בתמונות.", "צבע אחר, וקטן יותר מהתיאור."],
        Language::Persian => &["اصلاً شبیه عکس‌ها نیست.", "رنگش فرق دارد و کوچک‌تر از توضیحات است."],
    }
}

const fn question(language: Language) -> Sentences {
    match language {
        Language::English => {
            &["How do I connect it to my phone?", "Where can I change the delivery address?"]
        }
        Language::Spanish => {
            &["¿Cómo lo conecto al móvil?", "¿Dónde cambio la dirección de entrega?"]
        }
        Language::Portuguese => &["Como o ligo ao telemóvel?", "Onde mudo a morada de entrega?"],
        Language::Hebrew => &["איך מחברים אותו לטלפון?", "איפה משנים את כתובת המשלוח?"],
        Language::Persian => &["چطور به گوشی وصلش کنم؟", "نشانی تحویل را کجا عوض کنم؟"],
    }
}

const fn idea(language: Language) -> Sentences {
    match language {
        Language::English => {
            &["Let me choose the hour of delivery.", "A repair kit for the handle would be lovely."]
        }
        Language::Spanish => {
            &["Dejadme elegir la hora de entrega.", "Un kit para reparar el asa sería genial."]
        }
        Language::Portuguese => {
            &["Deixem-me escolher a hora da entrega.", "Um kit para reparar a pega seria ótimo."]
        }
        Language::Hebrew => &["תנו לבחור את שעת המשלוח.", "ערכת תיקון לידית תהיה נהדרת."],
        Language::Persian => {
            &["بگذارید ساعت تحویل را انتخاب کنیم.", "یک کیت تعمیر دسته عالی می‌شود."]
        }
    }
}
