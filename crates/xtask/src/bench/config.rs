//! The same generated files beside the scanner that each kind of file has: hadolint, zizmor, checkov. How they agree on
//! published files is in `bench/config`.

use super::{Bench, Measurement, case::Case, scanner::Place};
use crate::project::Result;
use std::{fs, path::Path};

const OURS: &str = "scan config INPUT";
const HADOLINT: &str = "--no-fail --format json FILES";
const ZIZMOR: &str = "--offline --no-config --no-exit-codes --format json INPUT";
const CHECKOV: &str = "--directory . --framework kubernetes --output json --quiet --compact --skip-download";

/// How many files of each kind.
const FILES: usize = 100;

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    Ok(vec![
        case(bench, 31, "Dockerfiles", ("hadolint", HADOLINT))?,
        case(bench, 31, "workflows", ("zizmor", ZIZMOR))?,
        case(bench, 6, "manifests", ("checkov", CHECKOV))?,
    ])
}

fn case(bench: &Bench<'_>, pairs: usize, kind: &str, peer: (&str, &str)) -> Result<Measurement> {
    let folder = bench.scratch.join(kind);
    let (files, found, text) = match kind {
        "Dockerfiles" => (folder.clone(), "Dockerfile.7", DOCKERFILE),
        "workflows" => (folder.join(".github/workflows"), "7.yaml", WORKFLOW),
        _ => (folder.clone(), "7.yaml", MANIFEST),
    };
    write(&files, kind, text)?;
    let place = Place::new(bench, folder, found)?;
    let what = format!("{FILES} {kind}");
    let (ours, peer) = (place.ours(OURS), place.peer(peer.0, peer.1)?);
    Ok(Measurement::Case(Case { name: "config", what, limit: None, pairs, ours, peer }))
}

fn write(folder: &Path, kind: &str, text: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    for number in 0..FILES {
        let name = match kind {
            "Dockerfiles" => format!("Dockerfile.{number}"),
            _ => format!("{number}.yaml"),
        };
        fs::write(folder.join(name), text.replace("NUMBER", &number.to_string()))?;
    }
    Ok(())
}

const DOCKERFILE: &str = "\
FROM golang:latest AS build
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN apt-get update && apt-get install -y curl git
RUN curl -sSL https://example.org/tool-NUMBER.tar.gz | tar -xz -C /usr/local
RUN cd /source && make build NUMBER=NUMBER
FROM debian:12
ENV MODE=production
ADD start.sh /usr/local/bin/start.sh
COPY --from=build /source/out /opt/service-NUMBER
RUN pip install requests==2.31.0
EXPOSE 8080
CMD /opt/service-NUMBER --listen 8080
";

const WORKFLOW: &str = "\
name: job NUMBER
on:
  pull_request_target:
    branches: [main]
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo \"${{ github.event.pull_request.title }}\"
      - uses: actions/setup-node@v4
        with: {node-version: 20}
      - run: npm ci && npm test -- --shard NUMBER
  publish:
    needs: build
    runs-on: ubuntu-24.04
    permissions: {contents: write}
    steps:
      - uses: actions/checkout@v4
      - run: make publish
        env:
          TOKEN: ${{ secrets.TOKEN }}
";

const MANIFEST: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: service-NUMBER, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: service-NUMBER}}
  template:
    metadata: {labels: {app: service-NUMBER}}
    spec:
      containers:
        - name: service
          image: example.org/shop/service:latest
          ports: [{containerPort: 8080}]
          securityContext: {privileged: true}
          env: [{name: MODE, value: production}]
---
apiVersion: v1
kind: Service
metadata: {name: service-NUMBER, namespace: shop}
spec:
  type: NodePort
  selector: {app: service-NUMBER}
  ports: [{port: 80, targetPort: 8080}]
";
