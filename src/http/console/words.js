// What the page says, in English, Hebrew and Persian; numbers and times as they are written there.

const WORDS = {
  en: {
    skip: "Skip to the picture", find: "Find", find_label: "Customer id", find_hint: "Find a customer by id",
    language: "Language", theme: "Light or dark", close: "Close",
    funnel: "Funnel", spikes: "Spikes", heat: "Where it hurts", moments: "Moments",
    moments_filter: "Which moments", all: "All", felt: "Felt", pause: "Pause",
    connecting: "Connecting", live: "Live, up to {time}", not_live: "Every few seconds, up to {time}: all places are taken",
    away: "No answer, trying again", nothing_yet: "now", missed: "{count} pictures missed", missed_one: "1 picture missed",
    figure_moments: "Moments", figure_pains: "Pain", figure_recovered: "Made good", figure_glories: "Glory", figure_customers: "Customers",
    per_second: "a second", of_moments: "{share} of moments", after_pain: "after a pain", above_and_beyond: "above and beyond",
    known_now: "known by now", known_here: "on this instance: {here} of {all} partitions",
    outside: "outside the funnel", flow_forth: "on", flow_back: "back", flow_enter: "come in", flow_leave: "leave",
    flows_since: "customers now, and their steps since {time}", funnel_table: "Steps between stages", from: "from", to: "to", count: "customers",
    pain_since: "since {time}", no_pain: "Nobody was hurt.", touchpoint: "Touchpoint", mostly: "mostly",
    unshown: "{count} more were not shown: a few each second can be read", unshown_one: "1 more was not shown: a few each second can be read",
    no_spike: "Nothing out of the ordinary.", spikes_open: "{count} open",
    everywhere: "everywhere", is_over: "over", numerator: "watched", onset: "since", closed: "until", seen: "seen",
    seen_of_usual: "{seen}, usually {usual}", people: "customers",
    looking: "Looking…", nobody: "Nobody by that id is known here.", elsewhere: "This customer is on another instance. Ask there.", no_answer: "There was no answer. Try again.",
    journey: "The way so far", why_score: "Why this score", overall: "Score", stage: "stage", touchpoints: "touchpoints", pains: "pains",
    made_good: "made good", glories: "glories", balance: "balance", first_seen: "first seen", last_seen: "last seen", next_band: "falls a band",
    no_journey: "No step in the funnel yet.", journey_picture: "{count} steps through the stages over time; each is listed below", journey_picture_one: "1 step through the stages, listed below",
    every_step: "Every step", open_since: "open since {time}", due: "due {time}", was_due: "was due {time}",
    no_ledger: "No rule has given points yet.", half_life: "halves in {span}", rule_gone: "a rule no longer loaded", within_bounds: "kept within 0 to 100",
    ledger_track: "Track", ledger_rule: "Rule", ledger_age: "Last", ledger_points: "Points", ledger_cap: "Cap", ledger_counts: "Counts",
    ledger_note: "Points fade with time; each rule counts up to its cap. What counts sums to the track.",
    token_title: "This Rega asks for a token", token_why: "It is kept in this tab only.", token: "Token", token_send: "Go on",
  },
  he: {
    skip: "דילוג אל התמונה", find: "חיפוש", find_label: "מזהה לקוח", find_hint: "חיפוש לקוח לפי מזהה",
    language: "שפה", theme: "בהיר או כהה", close: "סגירה",
    funnel: "משפך", spikes: "זינוקים", heat: "איפה כואב", moments: "רגעים",
    moments_filter: "אילו רגעים", all: "הכול", felt: "מורגשים", pause: "השהיה",
    connecting: "מתחבר", live: "חי, עד {time}", not_live: "כל כמה שניות, עד {time}: כל המקומות תפוסים",
    away: "אין תשובה, מנסה שוב", nothing_yet: "עכשיו", missed: "{count} תמונות הוחמצו", missed_one: "תמונה אחת הוחמצה",
    figure_moments: "רגעים", figure_pains: "כאב", figure_recovered: "תוקן", figure_glories: "זוהר", figure_customers: "לקוחות",
    per_second: "בשנייה", of_moments: "{share} מהרגעים", after_pain: "אחרי כאב", above_and_beyond: "מעל ומעבר",
    known_now: "מוכרים כעת", known_here: "במופע זה: {here} מתוך {all} מחיצות",
    outside: "מחוץ למשפך", flow_forth: "הלאה", flow_back: "אחורה", flow_enter: "נכנסים", flow_leave: "עוזבים",
    flows_since: "לקוחות כעת, וצעדיהם מאז {time}", funnel_table: "צעדים בין שלבים", from: "מ־", to: "אל", count: "לקוחות",
    pain_since: "מאז {time}", no_pain: "איש לא נפגע.", touchpoint: "נקודת מגע", mostly: "בעיקר",
    unshown: "עוד {count} לא הוצגו: אפשר לקרוא רק כמה בשנייה", unshown_one: "עוד אחד לא הוצג: אפשר לקרוא רק כמה בשנייה",
    no_spike: "שום דבר חריג.", spikes_open: "{count} פתוחים",
    everywhere: "בכל מקום", is_over: "נגמר", numerator: "נמדד", onset: "מאז", closed: "עד", seen: "נצפו",
    seen_of_usual: "{seen}, בדרך כלל {usual}", people: "לקוחות",
    looking: "מחפש…", nobody: "אין כאן לקוח מוכר במזהה הזה.", elsewhere: "הלקוח נמצא במופע אחר. יש לשאול שם.", no_answer: "לא הייתה תשובה. נסו שוב.",
    journey: "הדרך עד כה", why_score: "למה הציון הזה", overall: "ציון", stage: "שלב", touchpoints: "נקודות מגע", pains: "כאבים",
    made_good: "תוקנו", glories: "רגעי זוהר", balance: "מאזן", first_seen: "נראה לראשונה", last_seen: "נראה לאחרונה", next_band: "ירידת דרגה",
    no_journey: "עדיין אין צעד במשפך.", journey_picture: "{count} צעדים בין השלבים לאורך זמן; כולם מפורטים למטה", journey_picture_one: "צעד אחד בין השלבים, מפורט למטה",
    every_step: "כל הצעדים", open_since: "פתוח מאז {time}", due: "מועד {time}", was_due: "המועד היה {time}",
    no_ledger: "אף כלל עוד לא נתן נקודות.", half_life: "נחצה תוך {span}", rule_gone: "כלל שכבר אינו טעון", within_bounds: "נשמר בין 0 ל־100",
    ledger_track: "מסלול", ledger_rule: "כלל", ledger_age: "לפני", ledger_points: "נקודות", ledger_cap: "תקרה", ledger_counts: "נספר",
    ledger_note: "נקודות דועכות עם הזמן; כל כלל נספר עד תקרתו. סכום הנספר הוא המסלול.",
    token_title: "Rega זה מבקש אסימון", token_why: "נשמר בלשונית זו בלבד.", token: "אסימון", token_send: "המשך",
  },
  fa: {
    skip: "رفتن به تصویر", find: "یافتن", find_label: "شناسهٔ مشتری", find_hint: "یافتن مشتری با شناسه",
    language: "زبان", theme: "روشن یا تیره", close: "بستن",
    funnel: "قیف", spikes: "جهش‌ها", heat: "کجا درد دارد", moments: "لحظه‌ها",
    moments_filter: "کدام لحظه‌ها", all: "همه", felt: "حس‌شده", pause: "مکث",
    connecting: "در حال اتصال", live: "زنده، تا {time}", not_live: "هر چند ثانیه، تا {time}: همهٔ جاها پر است",
    away: "پاسخی نیست، دوباره می‌کوشد", nothing_yet: "اکنون", missed: "{count} تصویر از دست رفت",
    figure_moments: "لحظه‌ها", figure_pains: "درد", figure_recovered: "جبران‌شده", figure_glories: "شکوه", figure_customers: "مشتریان",
    per_second: "در ثانیه", of_moments: "{share} از لحظه‌ها", after_pain: "پس از درد", above_and_beyond: "فراتر از انتظار",
    known_now: "شناخته تا اکنون", known_here: "در این نمونه: {here} از {all} بخش",
    outside: "بیرون از قیف", flow_forth: "پیش", flow_back: "پس", flow_enter: "می‌آیند", flow_leave: "می‌روند",
    flows_since: "مشتریان اکنون، و گام‌هایشان از {time}", funnel_table: "گام‌ها میان مرحله‌ها", from: "از", to: "به", count: "مشتریان",
    pain_since: "از {time}", no_pain: "کسی آزرده نشد.", touchpoint: "نقطهٔ تماس", mostly: "بیشتر",
    unshown: "{count} لحظهٔ دیگر نشان داده نشد: در هر ثانیه چند تا را می‌توان خواند",
    no_spike: "چیزی غیرعادی نیست.", spikes_open: "{count} باز",
    everywhere: "همه‌جا", is_over: "پایان یافت", numerator: "زیر نظر", onset: "از", closed: "تا", seen: "دیده‌شده",
    seen_of_usual: "{seen}، معمولاً {usual}", people: "مشتریان",
    looking: "در حال جست‌وجو…", nobody: "کسی با این شناسه اینجا شناخته نیست.", elsewhere: "این مشتری در نمونهٔ دیگری است. آنجا بپرسید.", no_answer: "پاسخی نیامد. دوباره بکوشید.",
    journey: "راه تا اکنون", why_score: "چرا این امتیاز", overall: "امتیاز", stage: "مرحله", touchpoints: "تماس‌ها", pains: "دردها",
    made_good: "جبران‌شده", glories: "شکوه‌ها", balance: "تراز", first_seen: "نخستین دیدار", last_seen: "آخرین دیدار", next_band: "افت رده",
    no_journey: "هنوز گامی در قیف نیست.", journey_picture: "{count} گام میان مرحله‌ها در گذر زمان؛ همه در زیر آمده است",
    every_step: "همهٔ گام‌ها", open_since: "باز از {time}", due: "سررسید {time}", was_due: "سررسید {time} بود",
    no_ledger: "هنوز هیچ قاعده‌ای امتیازی نداده است.", half_life: "نیم می‌شود در {span}", rule_gone: "قاعده‌ای که دیگر بار نشده", within_bounds: "میان ۰ و ۱۰۰ نگه داشته شد",
    ledger_track: "مسیر", ledger_rule: "قاعده", ledger_age: "پیش", ledger_points: "امتیاز", ledger_cap: "سقف", ledger_counts: "شمرده",
    ledger_note: "امتیاز با زمان کم‌رنگ می‌شود؛ هر قاعده تا سقفش شمرده می‌شود. جمع شمرده‌ها مسیر است.",
    token_title: "این Rega نشانه می‌خواهد", token_why: "تنها در همین زبانه نگه داشته می‌شود.", token: "نشانه", token_send: "ادامه",
  },
};

// The closed vocabulary of labels: Rega's own names first, which English shows as they are.
const LABELS = {
  en: { none: "none", re_enter: "come again", at_risk: "at risk", enter: "come in", advance: "on", skip: "skip ahead", regress: "back", lapse: "leave",
    stimulus: "stimulus", zero: "zero moment", first: "first moment", actual: "the wait", second: "second moment", ultimate: "ultimate moment", recovered: "made good" },
  he: { none: "ללא", awareness: "מודעות", consideration: "שקילה", purchase: "רכישה", loyalty: "נאמנות", advocacy: "המלצה",
    ideas: "רעיונות", know: "לדעת", go: "ללכת", compare: "להשוות", plan: "לתכנן", buy: "לקנות", do: "לעשות",
    stimulus: "גירוי", zero: "רגע האפס", first: "הרגע הראשון", actual: "ההמתנה", second: "הרגע השני", ultimate: "הרגע האחרון",
    pain: "כאב", glory: "זוהר", recovered: "תוקן", neutral: "ניטרלי", unknown: "לא ידוע",
    dormant: "רדום", casual: "מזדמן", active: "פעיל", champion: "אלוף", at_risk: "בסיכון",
    access: "גישה", engage: "מעורבות", customize: "התאמה", connect: "חיבור", collaborate: "שיתוף פעולה",
    enter: "כניסה", advance: "התקדמות", skip: "דילוג", regress: "חזרה לאחור", re_enter: "כניסה מחדש", lapse: "עזיבה" },
  fa: { none: "هیچ", awareness: "آگاهی", consideration: "بررسی", purchase: "خرید", loyalty: "وفاداری", advocacy: "هواداری",
    ideas: "ایده", know: "دانستن", go: "رفتن", compare: "سنجیدن", plan: "برنامه", buy: "خریدن", do: "انجام دادن",
    stimulus: "انگیزه", zero: "لحظهٔ صفر", first: "لحظهٔ نخست", actual: "انتظار", second: "لحظهٔ دوم", ultimate: "لحظهٔ نهایی",
    pain: "درد", glory: "شکوه", recovered: "جبران‌شده", neutral: "خنثی", unknown: "نامعلوم",
    dormant: "خفته", casual: "گذری", active: "فعال", champion: "قهرمان", at_risk: "در خطر",
    access: "دسترسی", engage: "درگیری", customize: "شخصی‌سازی", connect: "پیوند", collaborate: "همکاری",
    enter: "ورود", advance: "پیشروی", skip: "پرش", regress: "بازگشت", re_enter: "ورود دوباره", lapse: "رفتن" },
};

let now = "en";
let numbers, decimals, percents, times, days, spans;

export const language = () => now;
export const isRtl = () => now !== "en";

/** Takes a language, or the nearest one there is. */
export function use(wanted) {
  const short = String(wanted ?? "").slice(0, 2).toLowerCase();
  now = Object.hasOwn(WORDS, short) ? short : "en";
  // A Persian page counts in Persian digits and, so that records can be compared, in this calendar.
  const locale = now === "fa" ? "fa-u-ca-gregory" : now === "en" ? "en-GB" : now;
  numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  decimals = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  times = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  days = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  spans = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });
}

export function say(key, values = {}) {
  const text = WORDS[now][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The name of a label. */
export function name(_kind, value) {
  return LABELS[now][value] ?? LABELS.en[value] ?? String(value ?? "").replaceAll("_", " ");
}

/** The same of a number of things: one is said by itself, where the language does. */
export function sayOf(key, n) {
  const one = `${key}_one`;
  return say(n === 1 && Object.hasOwn(WORDS[now], one) ? one : key, { count: count(n) });
}

// What rounds to nothing has no minus.
export const count = (n) => numbers.format(Math.abs(n) < 0.05 ? 0 : n);
export const decimal = (n) => decimals.format(Math.abs(n) < 0.05 ? 0 : Number(n));
export const percent = (n) => percents.format(n);

/** A time of today by its hour, another with its day. */
export function when(written) {
  const time = new Date(written);
  if (Number.isNaN(time.getTime())) return String(written ?? "");
  const today = time.toDateString() === new Date().toDateString();
  return (today ? times : days).format(time);
}

/** How long ago. */
export function span(millis) {
  const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
  if (millis < hour) return spans.format(-Math.max(0, Math.round(millis / minute)), "minute");
  if (millis < 2 * day) return spans.format(-Math.round(millis / hour), "hour");
  return spans.format(-Math.round(millis / day), "day");
}

/** Says everything that stands in the page itself, and turns the page round where it must be. */
export function speak() {
  document.documentElement.lang = now;
  document.documentElement.dir = isRtl() ? "rtl" : "ltr";
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel));
  for (const element of document.querySelectorAll("[data-say-placeholder]")) element.setAttribute("placeholder", say(element.dataset.sayPlaceholder));
}

use("en");
