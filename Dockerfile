# One image, two targets: `data` (Beam, no torch) and `train` (Megatron-Core on CPU or GPU, no Beam). Both run as an ordinary user.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS base
RUN useradd --create-home gristmill
WORKDIR /opt/gristmill
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir uv==0.13.9
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY manifests manifests
COPY shards shards
COPY dedup dedup
COPY pipeline pipeline
COPY mixing mixing
COPY training training
COPY gristmill gristmill

FROM base AS data
RUN uv pip install --no-cache --python /opt/venv/bin/python --constraint constraints.txt ".[data]"
USER gristmill
ENTRYPOINT ["gristmill"]

FROM base AS train
# Give `--build-arg TORCH=torch==2.13.0` for the CUDA build; PIP_EXTRA_INDEX_URL names PyTorch's CPU index.
ARG TORCH=torch==2.13.0+cpu
ARG PIP_EXTRA_INDEX_URL
RUN /opt/venv/bin/pip install --no-cache-dir "${TORCH}" \
 && uv pip install --no-cache --python /opt/venv/bin/python --constraint constraints.txt ".[train]"
USER gristmill
ENTRYPOINT ["gristmill"]
