# Atlas with everything it can do, for a machine or for every node of a cluster (jobs/rayjob.yaml, docs/cluster.md).
#
#     docker build -t feature-atlas:0.1.0 .
#     docker run --gpus all --shm-size 1g -v "$PWD/outputs:/outputs" feature-atlas:0.1.0 atlas run experiment=imagenet out=/outputs/a
#
# The index's torch brings CUDA with it, so the plain base serves GPUs as well; PIP names another index, for a CPU build that is
# small: --build-arg PIP="--index-url …". With --build-arg BASE=nvidia/cuda:13.0.2-base-ubuntu24.04 the base is NVIDIA's.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# NVIDIA's base has no Python; KubeRay asks for wget, which looks whether a node lives
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends wget \
    && if ! command -v python3; then apt-get install -y --no-install-recommends python3 python3-venv; fi \
    && rm -rf /var/lib/apt/lists/*

ARG PIP=""
ENV PATH=/opt/atlas/bin:$PATH PYTHONUNBUFFERED=1 RAY_USAGE_STATS_ENABLED=0
WORKDIR /src
COPY constraints.txt ./
RUN python3 -m venv /opt/atlas \
    && pip install --no-cache-dir ${PIP} -c constraints.txt torch
COPY pyproject.toml README.md LICENSE ./
COPY atlas atlas
COPY conf conf
RUN pip install --no-cache-dir ${PIP} -c constraints.txt ".[all]"

WORKDIR /work
CMD ["atlas", "--help"]
