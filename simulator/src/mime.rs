//! Just enough of a mail parser to read what an operator sends: headers, transfer encodings, text
//! parts, links. It refuses nothing; what it cannot read stays as it came.

/// A mail, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) links: Vec<String>,
}

/// Reads an `.eml`.
pub(crate) fn parse(raw: &str) -> Parsed {
    let (headers, body) = split(raw);
    let text = text_of(&headers, body);
    Parsed {
        from: address(header(&headers, "from").unwrap_or_default()),
        to: ["to", "cc", "bcc"]
            .iter()
            .filter_map(|name| header(&headers, name))
            .flat_map(|value| value.split(','))
            .map(address)
            .filter(|a| !a.is_empty())
            .collect(),
        subject: words(header(&headers, "subject").unwrap_or_default()),
        links: links(&text),
        text,
    }
}

type Headers = Vec<(String, String)>;

fn split(raw: &str) -> (Headers, &str) {
    let mut headers: Headers = Vec::new();
    let mut rest = raw;
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = headers.last_mut()
        {
            value.push(' ');
            value.push_str(line.trim());
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    (headers, rest)
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

fn address(value: &str) -> String {
    match value.rsplit_once('<') {
        Some((_, inner)) => inner.trim_end_matches('>').trim().to_owned(),
        None => value.trim().to_owned(),
    }
}

fn text_of(headers: &Headers, body: &str) -> String {
    let content_type = header(headers, "content-type").unwrap_or("text/plain");
    if content_type.to_ascii_lowercase().starts_with("multipart/")
        && let Some(boundary) = parameter(content_type, "boundary")
    {
        let mark = format!("--{boundary}");
        return body
            .split(mark.as_str())
            .skip(1)
            .take_while(|part| !part.starts_with("--"))
            .map(|part| {
                let (headers, body) = split(part.trim_start_matches("\r\n").trim_start_matches('\n'));
                text_of(&headers, body)
            })
            .collect::<Vec<_>>()
            .join("\n");
    }
    if !content_type.to_ascii_lowercase().starts_with("text/") {
        return String::new();
    }
    match header(headers, "content-transfer-encoding").map(str::to_ascii_lowercase).as_deref() {
        Some("quoted-printable") => lossy(quoted_printable(body, false)),
        Some("base64") => lossy(base64(body)),
        _ => body.to_owned(),
    }
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|p| {
        let (key, value) = p.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// Quoted-printable (RFC 2045), or its header form in which `_` is a space (RFC 2047).
fn quoted_printable(text: &str, in_header: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'=' if bytes[i + 1..].starts_with(b"\r\n") => i += 3,
            b'=' if bytes.get(i + 1) == Some(&b'\n') => i += 2,
            b'=' => {
                let code = text.get(i + 1..i + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
                out.push(code.unwrap_or(b'='));
                i += if code.is_some() { 3 } else { 1 };
            }
            b'_' if in_header => {
                out.push(b' ');
                i += 1;
            }
            other => {
                out.push(other);
                i += 1;
            }
        }
    }
    out
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut have) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from((bits >> have) & 0xFF).unwrap_or(0));
        }
    }
    out
}

/// Encoded words (`=?utf-8?q?…?=`) in a header.
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(3, '?');
        let (Some(_charset), Some(encoding), Some(tail)) = (parts.next(), parts.next(), parts.next()) else {
            break;
        };
        let Some((word, next)) = tail.split_once("?=") else { break };
        // White space between two encoded words is no part of the text (RFC 2047 §6.2).
        if !before.trim().is_empty() {
            out.push_str(before);
        }
        out.push_str(&lossy(match encoding {
            "B" | "b" => base64(word),
            _ => quoted_printable(word, true),
        }));
        rest = next;
    }
    out + rest
}

fn links(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for scheme in ["https://", "http://"] {
        for (start, _) in text.match_indices(scheme) {
            let link: String = text[start..]
                .chars()
                .take_while(|c| !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\''))
                .collect();
            let link = link.trim_end_matches(['.', ',', ';', ')', ']']).replace("&amp;", "&");
            if !found.contains(&link) {
                found.push(link);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_mail_gives_its_parties_and_links() {
        let mail = parse(
            "From: Partner <ops@partner.example>\r\nTo: \"Müller\" <it@m.example>, b@m.example\r\n\
             Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_an?= =?utf-8?B?IEFubmE=?=\r\n\r\n\
             Please open https://x.example/a?b=1&c=2.\r\n",
        );
        assert_eq!(mail.from, "ops@partner.example");
        assert_eq!(mail.to, ["it@m.example", "b@m.example"]);
        assert_eq!(mail.subject, "Grüße an Anna");
        assert_eq!(mail.links, ["https://x.example/a?b=1&c=2"]);
    }

    #[test]
    fn a_link_broken_by_quoted_printable_is_joined_again() {
        let mail = parse(
            "To: a@b.example\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: quoted-printable\n\nhttps://x.example/in=\nvite?id=3D7\n",
        );
        assert_eq!(mail.links, ["https://x.example/invite?id=7"]);
    }

    #[test]
    fn a_link_in_two_alternatives_is_one_link() {
        let mail = parse(
            "To: a@b.example\nContent-Type: multipart/alternative; boundary=\"zz\"\n\n--zz\n\
             Content-Type: text/plain\n\nhttps://x.example/1\n--zz\nContent-Type: text/html\n\
             Content-Transfer-Encoding: base64\n\nPGEgaHJlZj0iaHR0cHM6Ly94LmV4YW1wbGUvMSI+eDwvYT4=\n--zz--\n",
        );
        assert_eq!(mail.links, ["https://x.example/1"]);
    }
}
