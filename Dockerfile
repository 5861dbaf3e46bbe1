# syntax=docker/dockerfile:1
# Two stages: what is needed to install stays in the first, the second has only what runs.
# Every package of both is pinned and checked against its hash; all have wheels for amd64 and arm64, so no compiler.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ops/docker/build.lock ./
RUN python -m venv --without-pip /opt/wolkvox-hits \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r build.lock \
 && /opt/build/bin/pip --python /opt/wolkvox-hits/bin/python install --no-cache-dir \
      --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY producer ./producer
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/build/bin/pip --python /opt/wolkvox-hits/bin/python install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim-bookworm
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wolkvox-hits" \
      org.opencontainers.image.description="Wolkvox sales hits as a Kafka stream, each exactly once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
RUN groupadd --gid 10001 wolkvox \
 && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --shell /usr/sbin/nologin wolkvox
COPY --from=build /opt/wolkvox-hits /opt/wolkvox-hits
COPY ops/docker/health.py /opt/wolkvox-hits/health.py
ENV PATH="/opt/wolkvox-hits/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATUS_HOST=*
# A number, so that Kubernetes can see for itself that it is not root. Nothing is written: run it with --read-only.
USER 10001:10001
EXPOSE 8080
# The service answers SIGTERM itself within 10 s and starts no child, so it can be process 1.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 CMD ["python", "/opt/wolkvox-hits/health.py"]
ENTRYPOINT ["wolkvox-hits"]
CMD ["run"]
