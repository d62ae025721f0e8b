//! `workload`, and what it says of programs with an SDK.

use telstack_catalog::sdk;

use super::{Args, Block, Form, Kind, ONCE, OWN_NAMESPACE, PLAIN, Props};

pub(super) static WORKLOAD: Form = Form {
    word: "workload",
    about: "Programs in the cluster that send telemetry with an SDK of OpenTelemetry, and are not this stack's to run.",
    args: Args::One(Kind::Name),
    props: Props::Only(&[OWN_NAMESPACE]),
    block: Block::Words(&[
        &Form {
            word: "to",
            about: "The collector that the programs send to, and the token that they show there.",
            args: Args::One(Kind::Mention),
            props: Props::Only(&[
                ("protocol", Kind::Word(&["otlp", "otlp-grpc", "otlp-http"], &[])),
                ("token", Kind::Secret),
            ]),
            example: r#"to "gateway""#,
            ..ONCE
        },
        &Form {
            word: "propagators",
            about: "How the programs hand traces on.",
            args: Args::Some(Kind::Word(sdk::PROPAGATORS, &[])),
            example: r#"propagators "tracecontext" "baggage""#,
            ..ONCE
        },
        &Form {
            word: "sampler",
            about: "Which traces the programs keep; a share of them where the sampler takes one.",
            args: Args::One(Kind::Word(sdk::SAMPLERS, &[])),
            props: Props::Only(&[("ratio", Kind::Share)]),
            example: r#"sampler "parentbased_traceidratio" ratio=0.25"#,
            ..ONCE
        },
        &Form {
            word: "patch",
            about: "A file that tells the Deployment of that name, with `kubectl patch`; which of its containers, if it is not called so.",
            props: Props::Only(&[("container", Kind::Name)]),
            example: r#"patch container="app""#,
            ..ONCE
        },
        &Form {
            word: "instrumentation",
            about: "A resource of the operator, by which it puts SDKs into pods that ask for it.",
            example: "instrumentation",
            ..ONCE
        },
    ]),
    needs: &["to"],
    example: r#"workload "shop" namespace="dev" { to "gateway" }"#,
    ..PLAIN
};
