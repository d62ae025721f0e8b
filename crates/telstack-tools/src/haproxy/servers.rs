//! `server` and `bind` lines.

use telstack_catalog::product::haproxy::{Words, knows, stands_alone};
use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_system::{Known, Server, ServerCheck, Sourced, Tls};

use super::{
    addresses::{Address, Port, address},
    codes::INCOMPLETE_LINE,
    lines::{Line, Word},
    sections::check,
};

/// What a line says beyond its name and address.
#[derive(Default)]
pub(super) struct Said<'a> {
    words: Vec<(&'a Word, Option<&'a Word>)>,
    /// Is there a word that is not known? Then what follows it may mean anything.
    pub(super) open: bool,
}

impl<'a> Said<'a> {
    /// Reads the words of a line from a place on.
    pub(super) fn of(place: Words, words: &'a [Word], out: &mut Diagnostics) -> Self {
        let mut found = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if word.open || !knows(place, &word.text) {
                check(place, word, out);
                found.open = true;
                break;
            }
            let value = if stands_alone(place, &word.text) { None } else { rest.next() };
            // `source ADDRESS usesrc ADDRESS` has more to say.
            if word.text == "source" && rest.clone().next().is_some_and(|it| it.text == "usesrc") {
                rest.next();
                rest.next();
            }
            found.words.push((word, value));
        }
        found
    }

    /// The last word of a kind, unless a later one takes it back.
    pub(super) fn switch(&self, word: &str) -> Option<&'a Word> {
        let taken_back = |it: &str| it.strip_prefix("no-") == Some(word);
        let mut last = None;
        for (it, _) in &self.words {
            if it.text == word {
                last = Some(*it);
            } else if taken_back(&it.text) {
                last = None;
            }
        }
        last
    }

    /// What follows the last word of a kind.
    pub(super) fn value(&self, word: &str) -> Option<&'a Word> {
        self.words.iter().rev().find(|(it, _)| it.text == word).and_then(|(_, value)| *value)
    }

    fn any(&self, words: &[&str]) -> bool {
        self.words.iter().any(|(it, _)| words.contains(&it.text.as_str()))
    }

    /// Is the other end told to speak HTTP/2, or not to?
    pub(super) fn http2(&self) -> Known<bool> {
        let protocol = self.value("proto");
        if let Some(protocol) = protocol {
            return if protocol.open { Known::Unknown } else { Known::Value(protocol.text == "h2") };
        }
        match self.value("alpn").filter(|_| self.switch("ssl").is_some()) {
            Some(list) if list.open => Known::Unknown,
            Some(list) => Known::Value(list.text.split(',').any(|it| it.trim() == "h2")),
            None if self.open => Known::Unknown,
            None => Known::Absent,
        }
    }

    /// Is nothing but HTTP/2 to be spoken, without asking the other end?
    pub(super) fn only_http2(&self) -> bool {
        self.value("proto").is_some_and(|it| !it.open && it.text == "h2")
    }

    /// Does it get something only once others are gone, or nothing, or may it be so?
    fn stands_back(&self) -> bool {
        let none = |it: &Word| it.open || it.text == "0";
        let word = ["backup", "disabled"].iter().any(|it| self.switch(it).is_some());
        word || self.open || self.value("weight").is_some_and(none)
    }

    /// Is the connection encrypted?
    pub(super) fn tls(&self, mutual: &str) -> Known<Tls> {
        match self.switch("ssl") {
            Some(_) if self.value(mutual).is_some_and(|it| it.text != "none") => Known::Value(Tls::Mutual),
            Some(_) => Known::Value(Tls::On),
            None if self.open => Known::Unknown,
            None => Known::Value(Tls::Off),
        }
    }
}

/// Reads a `server` or `server-template` line, with what `default-server` says for all. None for one that dials no
/// host, or is reported.
pub(super) fn server<'a>(line: &'a Line, default: &[&'a Line], out: &mut Diagnostics) -> Option<Server> {
    let first = line.first()?;
    let template = first.text == "server-template";
    let (at, wanted) =
        if template { (3, "a prefix, how many there are, and an address") } else { (2, "a name and an address") };
    let Some(dialled) = line.get(at) else {
        let last = line.last().unwrap_or(first);
        if line.iter().all(|it| !it.open) {
            out.push(
                Diagnostic::new(&INCOMPLETE_LINE, format!("`{}` wants {wanted}", first.text))
                    .at(last.origin.span(), "HAProxy does not start")
                    .help(format!("write `{} NAME{} HOST:PORT`", first.text, if template { " 1-3" } else { "" })),
            );
        }
        return None;
    };
    let mut words: Vec<Word> = Vec::new();
    for line in default {
        words.extend(line.iter().skip(1).cloned());
    }
    let inherited = words.len();
    words.extend(line.iter().skip(at + 1).cloned());
    // What the defaults say was judged where they stand.
    let mut quiet = Diagnostics::default();
    let own = Said::of(Words::Server, &words[inherited..], out);
    let said = Said::of(Words::Server, &words, &mut quiet);
    let (host, port) = match address(&dialled.text) {
        _ if dialled.open => return None,
        Address::Host(host, port) => (host, port),
        Address::NoHost | Address::Wrong => return None,
    };
    let port = match port {
        Some(Port::Range(port, end)) if port == end => Some(port),
        Some(Port::Wrong) => {
            out.push(
                Diagnostic::new(&INCOMPLETE_LINE, format!("`{}` has no port that is a number", dialled.text))
                    .at(dialled.origin.span(), "HAProxy does not start")
                    .help("write the number of the port"),
            );
            return None;
        }
        _ => None,
    };
    let many = line.get(2).filter(|_| template);
    let count = many.map_or(Some(1), |word| if word.open { None } else { range(&word.text) });
    Some(Server {
        name: line.get(1)?.text.clone(),
        host: Sourced::new(host, dialled.origin.clone()),
        port,
        count,
        takes_turns: !own.open && !said.stands_back(),
        tls: said.tls("crt"),
        http2: if own.open { Known::Unknown } else { said.http2() },
        only_http2: said.only_http2(),
        check: asked(&said, own.open),
    })
}

/// How a server is asked whether it is well.
fn asked(said: &Said<'_>, open: bool) -> Option<ServerCheck> {
    const OWN: [&str; 9] = [
        "addr",
        "check-ssl",
        "check-proto",
        "check-alpn",
        "check-sni",
        "check-send-proxy",
        "check-via-socks4",
        "send-proxy",
        "send-proxy-v2",
    ];
    let word = said.switch("check")?;
    let port = said.value("port");
    let number = port.filter(|it| !it.open).and_then(|it| Some(Sourced::new(it.text.parse().ok()?, it.origin.clone())));
    let own_way = open || said.any(&OWN) || said.value("track").is_some() || port.is_some() && number.is_none();
    Some(ServerCheck { port: number, own_way, origin: word.origin.clone() })
}

/// How many servers `3` and `1-3` stand for.
fn range(text: &str) -> Option<u64> {
    match text.split_once('-') {
        Some((from, to)) => to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)?.checked_add(1),
        None => text.parse().ok(),
    }
}
