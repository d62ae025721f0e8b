//! Files of products: one text, given to each of them in a compose project, and by itself. Reading and judging them
//! never fails, and the report can be drawn.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::render::{Colour, human};
use telstack_workspace::{Assumed, Input, MemoryFiles, Request, Told, check, check_all};

const COMPOSE: &str = "services:
  prometheus:
    image: prom/prometheus:v3.5.0
    volumes: ['./file:/etc/prometheus/prometheus.yml', './file:/etc/prometheus/rules.yml']
  loki: {image: 'grafana/loki:3.5.0', volumes: ['./file:/etc/loki/local-config.yaml']}
  tempo: {image: 'grafana/tempo:2.8.1', command: [-config.file=/f], volumes: ['./file:/f']}
  mimir: {image: 'grafana/mimir:2.17.0', command: [-config.file=/f], volumes: ['./file:/f']}
  jaeger: {image: 'jaegertracing/jaeger:2.10.0', command: [--config=/f], volumes: ['./file:/f']}
  alertmanager: {image: 'prom/alertmanager:v0.28.0', volumes: ['./file:/etc/alertmanager/alertmanager.yml']}
  grafana:
    image: grafana/grafana:12.0.0
    volumes:
      - ./file:/etc/grafana/grafana.ini
      - ./file:/etc/grafana/provisioning/datasources/file.yml
      - ./file:/etc/grafana/provisioning/dashboards/file.yml
      - ./file:/dashboards/file.json
";

fuzz_target!(|text: &str| {
    let files = MemoryFiles::new([("compose.yaml", COMPOSE), ("file", text)]);
    let request = Request { inputs: vec![Input::Path(PathBuf::from("compose.yaml"))], ..Request::default() };
    let mut told = |_: &Path| Ok(Told::default());
    if let Ok(checked) = check_all(&files, &request, &mut told) {
        for finding in checked.diagnostics.iter().take(20) {
            human(finding, &checked.sources, Colour::Off);
        }
    }
    let Ok(alone) = check(&files, Path::new("file"), Assumed::default()) else { return };
    for finding in alone.diagnostics.iter().take(20) {
        human(finding, &alone.sources, Colour::Off);
    }
});
