//! Companies made up from a seed: the same index gives the same company, in any order and at any
//! size, so that a hundred thousand customers cost no storage until a vendor keeps them.
//!
//! Names carry umlauts, accents, apostrophes and legal forms, as real ones do.

use crate::ids::Rng;

/// A company that does not exist.
#[derive(Debug, Clone)]
pub struct Company {
    /// Legal name; unique for its index.
    pub name: String,
    /// A word for e-mail domains and ids: ASCII, lower case, unique for its index.
    pub slug: String,
    /// `<slug>.example`.
    pub domain: String,
    /// Contact's first name.
    pub first_name: &'static str,
    /// Contact's last name.
    pub last_name: &'static str,
    /// Contact's address in `domain`.
    pub email: String,
    /// With its country code.
    pub phone: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub city: &'static str,
    /// Postal code as the country writes it.
    pub postal_code: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
}

const STEMS: [(&str, &str); 24] = [
    ("Bäckerei Müller", "baeckerei-mueller"),
    ("Größer & Söhne", "groesser-soehne"),
    ("Câblerie du Léman", "cablerie-du-leman"),
    ("O'Brien Haulage", "obrien-haulage"),
    ("Žižkov Papír", "zizkov-papir"),
    ("Smørrebrød Kompagniet", "smorrebrod"),
    ("Łódzka Optyka", "lodzka-optyka"),
    ("Contoso Dental", "contoso-dental"),
    ("Iberia Cerámica", "iberia-ceramica"),
    ("Straßenbau Weiß", "strassenbau-weiss"),
    ("Hôtel de la Poste", "hotel-de-la-poste"),
    ("Nordlicht Energie", "nordlicht-energie"),
    ("Fjällräven Sågverk", "fjall-sagverk"),
    ("Pražská Tiskárna", "prazska-tiskarna"),
    ("Kanzlei Ağaoğlu", "kanzlei-agaoglu"),
    ("Ørsted Byg", "orsted-byg"),
    ("Café Zürich", "cafe-zuerich"),
    ("São Bento Vinhos", "sao-bento"),
    ("Tüftler Werkzeuge", "tueftler"),
    ("Kovács Autó", "kovacs-auto"),
    ("Ελληνικό Λάδι", "elliniko-ladi"),
    ("Praxis Dr. Özdemir", "praxis-oezdemir"),
    ("Vennootschap De Eik", "de-eik"),
    ("Île-de-Ré Ostréiculture", "ile-de-re"),
];
const FORMS: [&str; 8] = ["GmbH", "AG", "SARL", "Ltd", "s.r.o.", "ApS", "B.V.", "S.A."];
const FIRST: [&str; 12] = [
    "Anna", "Jörg", "Chloé", "Søren", "Zuzana", "José", "Łukasz", "Aoife", "Björn", "Élodie", "Tomáš",
    "Nehir",
];
const LAST: [&str; 12] = [
    "Müller",
    "O'Connor",
    "Nováková",
    "Gärtner",
    "D'Angelo",
    "Åkesson",
    "Šimek",
    "Weiß",
    "Lefèvre",
    "Kowalczyk",
    "García",
    "Yıldız",
];
const TOWNS: [(&str, &str, &str, &str); 8] = [
    ("Köln", "50667", "DE", "+49 221"),
    ("Zürich", "8001", "CH", "+41 44"),
    ("Lyon", "69001", "FR", "+33 4"),
    ("Malmö", "211 20", "SE", "+46 40"),
    ("Brno", "602 00", "CZ", "+420 5"),
    ("Galway", "H91 E2K8", "IE", "+353 91"),
    ("Utrecht", "3511 AB", "NL", "+31 30"),
    ("Seattle", "98101", "US", "+1 206"),
];

/// Company names that try to break whoever prints them: terminal control, bidirectional text,
/// Markdown, HTML, spreadsheet formulas, newlines, length.
pub const HOSTILE_NAMES: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mRed Alert GmbH\u{1b}[0m",
    "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    "Safe \u{202e}gpj.exe\u{202c} AG",
    "\u{2066}Isolated\u{2069} \u{200b}Ltd",
    "| a | b |\n|---|---|\n**bold** [link](https://evil.example) `code`",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"https://evil.example\",\"ok\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-800-CALL & \"Sons\", 'Inc'",
    "two\r\nlines\tand a tab",
    "{{ .Values.name }} ${HOME} $(id) `id` %n%s",
    "Zalgo Z\u{0351}\u{036b}\u{0343}a\u{0363}\u{0345}lgo \u{1f469}\u{200d}\u{1f4bb} Co",
];

/// A source of companies.
#[derive(Debug, Clone, Copy)]
pub struct Companies {
    seed: u64,
}

impl Companies {
    /// The companies of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Company number `index`.
    pub fn company(&self, index: usize) -> Company {
        let mut rng = Rng::new(self.seed ^ (index as u64).wrapping_mul(0xA24B_AED4_963E_E407));
        let (stem, ascii) = *rng.pick(&STEMS);
        let form = rng.pick(&FORMS);
        let first_name = *rng.pick(&FIRST);
        let last_name = *rng.pick(&LAST);
        let (city, postal_code, country, dial) = *rng.pick(&TOWNS);
        let slug = format!("{ascii}-{index}");
        let domain = format!("{slug}.example");
        Company {
            name: format!("{stem} {index} {form}"),
            email: format!("it@{domain}"),
            phone: format!("{dial} {:07}", rng.below(10_000_000)),
            street: format!("Hauptstraße {}", 1 + rng.below(199)),
            slug,
            domain,
            first_name,
            last_name,
            city,
            postal_code,
            country,
        }
    }
}
