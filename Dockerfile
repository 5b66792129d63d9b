# Two targets: `data` (Beam, no torch) and `train` (Megatron-Core on CPU or GPU, no Beam). Both run as an ordinary user.
#
#   docker build --target data  --tag gristmill-data .
#   docker build --target train --tag gristmill-train .
#
# Versions are those of constraints.txt. Behind a package index of your own: --build-arg PIP_INDEX_URL=...; behind a proxy or with
# certificates of your own: base images (BEAM_SDK_IMAGE, PYTHON_IMAGE) that know them. The Python of both must be 3.11.
ARG BEAM_SDK_IMAGE=apache/beam_python3.11_sdk:2.77.0
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${BEAM_SDK_IMAGE} AS data
ARG PIP_INDEX_URL
RUN useradd --create-home --uid 1000 gristmill && mkdir /work && chown gristmill /work
WORKDIR /opt/gristmill
# An environment of its own: the SDK image's packages are of other versions than those that were tested together.
RUN python -m venv /opt/venv && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
# What changes seldom comes first: a change of code does not install everything again.
COPY pyproject.toml constraints.txt ./
RUN ${PIP_INDEX_URL:+env UV_DEFAULT_INDEX=$PIP_INDEX_URL} \
    uv pip install --compile-bytecode --python /opt/venv/bin/python --constraint constraints.txt --requirement pyproject.toml --extra data
COPY . .
RUN ${PIP_INDEX_URL:+env UV_DEFAULT_INDEX=$PIP_INDEX_URL} \
    uv pip install --compile-bytecode --python /opt/venv/bin/python --constraint constraints.txt --no-deps .
# Whatever is started here imports nothing from the working folder.
ENV PYTHONSAFEPATH=1
# Each container would compile the kernels for itself, for two minutes; on another kind of processor than this it still does.
RUN cd /tmp && python -m pipeline.warm_up
USER gristmill
WORKDIR /work
ENTRYPOINT ["gristmill"]

FROM ${PYTHON_IMAGE} AS train
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
# PyTorch's CPU build is on PyTorch's own index: --build-arg PIP_EXTRA_INDEX_URL=...; for GPUs --build-arg TORCH=torch==2.13.0 is enough.
ARG TORCH=torch==2.13.0+cpu
RUN useradd --create-home --uid 1000 gristmill && mkdir /work && chown gristmill /work
WORKDIR /opt/gristmill
RUN python -m venv /opt/venv && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 "${TORCH}"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
COPY pyproject.toml constraints.txt ./
RUN ${PIP_INDEX_URL:+env UV_DEFAULT_INDEX=$PIP_INDEX_URL} \
    uv pip install --compile-bytecode --python /opt/venv/bin/python --constraint constraints.txt --requirement pyproject.toml --extra train
COPY . .
RUN ${PIP_INDEX_URL:+env UV_DEFAULT_INDEX=$PIP_INDEX_URL} \
    uv pip install --compile-bytecode --python /opt/venv/bin/python --constraint constraints.txt --no-deps .
# Whatever is started here imports nothing from the working folder.
ENV PYTHONSAFEPATH=1
USER gristmill
WORKDIR /work
ENTRYPOINT ["gristmill"]
