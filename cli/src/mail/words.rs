//! The words of an invitation: the Relationship's, else the Console's in the addressee's language, else our own.

use std::collections::BTreeMap;

/// Subject and body; the body holds [`super::LINK`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The subject.
    pub subject: String,
    /// The body.
    pub body: String,
}

struct BuiltIn {
    language: &'static str,
    subject: &'static str,
    reminder: &'static str,
    body: &'static str,
}

const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn {
        language: "en",
        subject: "Please confirm that we may look after your subscriptions",
        reminder: "Reminder: ",
        body: "Hello,\n\n\
               so that we can look after your subscriptions, please open this link, sign in\n\
               as an administrator of your organisation and accept the request:\n\n\
               {{ link }}\n\n\
               The page shows what you agree to. If anything is unclear, just reply to this\n\
               mail before you accept.\n\n\
               Kind regards\n",
    },
    BuiltIn {
        language: "de",
        subject: "Bitte bestätigen Sie, dass wir Ihre Abonnements betreuen dürfen",
        reminder: "Erinnerung: ",
        body: "Guten Tag,\n\n\
               damit wir Ihre Abonnements betreuen können, öffnen Sie bitte diesen Link,\n\
               melden Sie sich als Administrator Ihrer Organisation an und nehmen Sie die\n\
               Anfrage an:\n\n\
               {{ link }}\n\n\
               Die Seite zeigt, wozu Sie Ihre Zustimmung geben. Wenn etwas unklar ist,\n\
               antworten Sie bitte vorher einfach auf diese Mail.\n\n\
               Mit freundlichen Grüßen\n",
    },
    BuiltIn {
        language: "fr",
        subject: "Merci de confirmer que nous pouvons gérer vos abonnements",
        reminder: "Rappel : ",
        body: "Bonjour,\n\n\
               afin que nous puissions gérer vos abonnements, veuillez ouvrir ce lien, vous\n\
               connecter en tant qu’administrateur de votre organisation et accepter la\n\
               demande :\n\n\
               {{ link }}\n\n\
               La page indique ce que vous acceptez. En cas de question, répondez simplement\n\
               à ce message avant d’accepter.\n\n\
               Cordialement\n",
    },
    BuiltIn {
        language: "nl",
        subject: "Bevestig alstublieft dat wij uw abonnementen mogen beheren",
        reminder: "Herinnering: ",
        body: "Goedendag,\n\n\
               om uw abonnementen te kunnen beheren vragen wij u deze link te openen, u aan\n\
               te melden als beheerder van uw organisatie en het verzoek te accepteren:\n\n\
               {{ link }}\n\n\
               De pagina toont waarmee u akkoord gaat. Is er iets onduidelijk, beantwoord dan\n\
               deze e-mail voordat u accepteert.\n\n\
               Met vriendelijke groet\n",
    },
    BuiltIn {
        language: "es",
        subject: "Confirme, por favor, que podemos gestionar sus suscripciones",
        reminder: "Recordatorio: ",
        body: "Buenos días:\n\n\
               para que podamos gestionar sus suscripciones, abra este enlace, inicie sesión\n\
               como administrador de su organización y acepte la solicitud:\n\n\
               {{ link }}\n\n\
               La página muestra lo que usted acepta. Si tiene alguna duda, responda a este\n\
               correo antes de aceptar.\n\n\
               Un cordial saludo\n",
    },
    BuiltIn {
        language: "it",
        subject: "Confermi, per favore, che possiamo gestire i Suoi abbonamenti",
        reminder: "Promemoria: ",
        body: "Buongiorno,\n\n\
               per permetterci di gestire i Suoi abbonamenti, apra questo link, acceda come\n\
               amministratore della Sua organizzazione e accetti la richiesta:\n\n\
               {{ link }}\n\n\
               La pagina mostra che cosa viene accettato. In caso di dubbi, risponda a questa\n\
               e-mail prima di accettare.\n\n\
               Cordiali saluti\n",
    },
];

/// `de-AT` → `de`.
fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or_default()
}

fn built_in(language: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|words| words.language.eq_ignore_ascii_case(primary(language)))
}

fn declared<'a>(messages: &'a BTreeMap<String, String>, language: &str) -> Option<&'a str> {
    let exact = messages.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(language));
    let near = || messages.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(primary(language)));
    exact.or_else(near).map(|(_, text)| text.as_str())
}

/// The words of a mail, and the language that they are in.
///
/// The Relationship's own message wins. Else, in this order: the Console's message in the language, in its primary
/// language (`de` for `de-AT`), our own in that language, the Console's in English, our own in English. A first line
/// `Subject: …` of a declared message is its subject; without one, and for a reminder's prefix, ours is taken.
pub fn words(
    own: Option<&str>,
    messages: &BTreeMap<String, String>,
    language: &str,
    reminder: bool,
) -> (Words, String) {
    let ours = built_in(language);
    let english = built_in("en").expect("English is among them");
    let (text, spoken) = match own.or_else(|| declared(messages, language)) {
        Some(text) => (Some(text), language.to_owned()),
        None if ours.is_some() => (None, primary(language).to_ascii_lowercase()),
        None => (declared(messages, "en"), "en".to_owned()),
    };
    let base = ours.unwrap_or(english);
    let (subject, body) = match text {
        None => (base.subject.to_owned(), base.body.to_owned()),
        Some(text) => match text.split_once('\n') {
            Some((first, rest)) if subject_of(first).is_some() => (
                subject_of(first).unwrap_or_default().to_owned(),
                rest.trim_start_matches(['\r', '\n']).to_owned(),
            ),
            _ => (base.subject.to_owned(), text.to_owned()),
        },
    };
    let subject = if reminder { format!("{}{subject}", base.reminder) } else { subject };
    (Words { subject, body }, spoken)
}

fn subject_of(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(':')?;
    (name.trim().eq_ignore_ascii_case("subject") && !value.trim().is_empty()).then(|| value.trim())
}
