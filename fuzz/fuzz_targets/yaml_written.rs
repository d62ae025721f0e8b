//! YAML that telstack writes is read as what was written.

#![no_main]

use libfuzzer_sys::{
    arbitrary::{self, Arbitrary},
    fuzz_target,
};
use telstack_diagnostics::SourceMap;
use telstack_syntax::{
    tree::{Entry, Kind, Value},
    yaml,
};

#[derive(Arbitrary, Debug)]
enum Any {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Block(Vec<Any>),
    Flow(Vec<Any>),
    Map(Vec<(String, Any)>),
}

fn value(any: &Any) -> Value<()> {
    let kind = match any {
        Any::Null => Kind::Null,
        Any::Bool(it) => Kind::Bool(*it),
        Any::Int(it) => Kind::Int(*it),
        Any::Float(it) => Kind::Float(*it),
        Any::Text(it) => Kind::String(it.clone()),
        Any::Block(items) => return Value::block(items.iter().map(value).collect(), ()),
        Any::Flow(items) => return Value::flow(items.iter().map(value).collect(), ()),
        Any::Map(entries) => Kind::Map(entries.iter().map(|(key, it)| Entry::new(key.clone(), value(it))).collect()),
    };
    Value { kind, mark: () }
}

/// What a value means, whatever it looks like.
fn meaning(value: &Value<()>) -> String {
    match &value.kind {
        Kind::Seq(seq) => format!("[{}]", seq.items.iter().map(meaning).collect::<Vec<_>>().join(", ")),
        Kind::Map(map) => {
            let entries: Vec<_> = map.iter().map(|it| format!("{:?}: {}", it.key, meaning(&it.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        kind => format!("{kind:?}"),
    }
}

fuzz_target!(|any: Any| {
    let wanted = value(&any);
    let text = yaml::write("", &(), &wanted).text;
    let mut sources = SourceMap::default();
    let file = sources.add("fuzz", &*text);
    let read = yaml::read(file, &text).expect("what telstack writes is YAML");
    assert_eq!(read.len(), 1, "one document:\n{text}");
    assert_eq!(meaning(&read[0].map_marks(&mut |_| ())), meaning(&wanted), "{text}");
});
