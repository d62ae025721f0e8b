//! Lines over lines: what is written for one cluster or environment, over what is written for all.

use telstack_syntax::stack::Node as Line;

use crate::{
    form::{Args, Form, Kind},
    stack::name_of,
};

/// Words whose lines add up, however many there are.
const ADD_UP: [&str; 2] = ["from", "to"];
/// An item of a list.
const ITEM: &str = "-";

/// Lays lines over those of the block of `form`; without a form both are settings. A line with the word of one below,
/// and the name where it has one, gives that its values, properties and block; any other stands beside. A list
/// replaces a list. Of two lines that mean the same in one layer the second stays one too many, for others to report.
pub(crate) fn lay(below: &mut Vec<Line>, mut above: Vec<Line>, form: Option<&'static Form>) {
    if above.iter().any(|line| line.name.value == ITEM) {
        below.retain(|line| line.name.value != ITEM);
        below.extend(above);
        return;
    }
    if above.iter().any(|line| takes_several(line, form)) {
        *below = one_each(std::mem::take(below), form);
        above = one_each(above, form);
    }
    let mut free = vec![true; below.len()];
    for line in above {
        let child = form.and_then(|form| form.child(&line.name.value));
        let same =
            |it: &Line| it.name.value == line.name.value && (child.is_none_or(is_single) || is_named_like(it, &line));
        let found = (0..free.len()).find(|at| free[*at] && same(&below[*at]));
        match found.filter(|_| !ADD_UP.contains(&&*line.name.value)) {
            Some(at) => {
                free[at] = false;
                over(&mut below[at], line, child);
            }
            None => below.push(line),
        }
    }
}

/// Has a block no two lines of it that mean different things?
fn is_single(form: &'static Form) -> bool {
    form.once || form.args == Args::None
}

fn is_named_like(one: &Line, other: &Line) -> bool {
    let texts = |line: &Line| line.args.iter().map(|it| it.as_str().map(str::to_owned)).collect::<Vec<_>>();
    let named = |line: &Line| name_of(line).to_owned();
    texts(one) == texts(other) || (!named(one).is_empty() && named(one) == named(other))
}

/// Does a line mean one line for each of its values?
fn takes_several(line: &Line, form: Option<&'static Form>) -> bool {
    form.and_then(|form| form.child(&line.name.value)).is_some_and(|it| it.args == Args::Some(Kind::Signal))
}

fn one_each(lines: Vec<Line>, form: Option<&'static Form>) -> Vec<Line> {
    let mut out = Vec::new();
    for line in lines {
        if takes_several(&line, form) && line.args.len() > 1 {
            out.extend(line.args.iter().map(|arg| Line { args: vec![arg.clone()], ..line.clone() }));
        } else {
            out.push(line);
        }
    }
    out
}

fn over(below: &mut Line, above: Line, form: Option<&'static Form>) {
    if !above.args.is_empty() {
        below.args = above.args;
    }
    for prop in above.props {
        below.props.retain(|it| it.key.value != prop.key.value);
        below.props.push(prop);
    }
    if let Some(children) = above.children {
        lay(below.children.get_or_insert_default(), children, form);
    }
    below.broken |= above.broken;
    below.holes |= above.holes;
}
