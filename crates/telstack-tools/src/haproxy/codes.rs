//! What can be wrong with the form of a configuration.

use telstack_diagnostics::{RuleInfo, Severity};

const DOCS: &[&str] = &["https://docs.haproxy.org/3.2/configuration.html"];

pub(crate) static UNKNOWN_KEYWORD: RuleInfo = RuleInfo {
    code: "R020",
    name: "haproxy-unknown-keyword",
    severity: Severity::Error,
    summary: "A word in a configuration of HAProxy is none that it knows.",
    why: "HAProxy does not start: `unknown keyword`. With a reload the old configuration keeps running, and nobody \
          notices.",
    bad: "backend gateways\n    server one gateway:4317 chek\n",
    good: "backend gateways\n    server one gateway:4317 check\n",
    silent: "The word is near none that is known: newer releases know more. Templates, and what stands between `.if` \
             and `.endif`.",
    sources: DOCS,
};

pub(crate) static INCOMPLETE_LINE: RuleInfo = RuleInfo {
    code: "R021",
    name: "haproxy-incomplete-line",
    severity: Severity::Error,
    summary: "A line in a configuration of HAProxy lacks something without which it says nothing.",
    why: "HAProxy does not start: a server needs a name and an address, a `bind` line a port, a section a name.",
    bad: "backend gateways\n    server gateway:4317\n",
    good: "backend gateways\n    server one gateway:4317\n",
    silent: "The word comes from the environment; templates.",
    sources: DOCS,
};

pub(crate) static UNDEFINED_BACKEND: RuleInfo = RuleInfo {
    code: "R022",
    name: "haproxy-undefined-backend",
    severity: Severity::Error,
    summary: "A frontend of HAProxy hands on to a backend that is not there.",
    why: "HAProxy does not start: `unable to find required default_backend`.",
    bad: "frontend otlp\n    bind :4317\n    default_backend gateway\nbackend gateways\n    server one gateway:4317\n",
    good: "frontend otlp\n    bind :4317\n    default_backend gateways\nbackend gateways\n    server one gateway:4317\n",
    silent: "The name is worked out for each request (`%[…]`), or other files may define it.",
    sources: DOCS,
};

pub(crate) static DUPLICATE_SECTION: RuleInfo = RuleInfo {
    code: "R023",
    name: "haproxy-duplicate-section",
    severity: Severity::Error,
    summary: "Two sections of HAProxy that listen, or two that dial, have one name.",
    why: "HAProxy does not start: `has the same name as`.",
    bad: "backend gateways\n    server one a:4317\nbackend gateways\n    server one b:4317\n",
    good: "backend gateways\n    server one a:4317\n    server two b:4317\n",
    silent: "A frontend and a backend of one name: that is allowed.",
    sources: DOCS,
};
