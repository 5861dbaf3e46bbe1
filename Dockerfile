# syntax=docker/dockerfile:1
# What is needed to install stays in its stage; the last one, which is what `docker build` makes, has only what runs.
# Every package of all is pinned and checked against its hash; all have wheels for amd64 and arm64, so no compiler.
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

# The image runs the service: what plays a call centre, or fetches a Kafka to try it on, is not in it.
FROM build AS without-demo
RUN rm -r /opt/wolkvox-hits/lib/python3*/site-packages/producer/demo

FROM python:3.13-slim-bookworm AS base
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wolkvox-hits" \
      org.opencontainers.image.description="Wolkvox sales hits as a Kafka stream, each exactly once" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
RUN groupadd --gid 10001 wolkvox \
 && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --shell /usr/sbin/nologin wolkvox
ENV PATH="/opt/wolkvox-hits/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATUS_HOST=*
# A number, so that Kubernetes can see for itself that it is not root. Nothing is written: run it with --read-only.
USER 10001:10001
# The service answers SIGTERM itself within 10 s and starts no child, so it can be process 1.
STOPSIGNAL SIGTERM
ENTRYPOINT ["wolkvox-hits"]

# For docker-compose.yml, which has a simulated call centre.
FROM base AS simulator
COPY --from=build /opt/wolkvox-hits /opt/wolkvox-hits
EXPOSE 8090
CMD ["simulate", "--host", "0.0.0.0"]

FROM base
COPY --from=without-demo /opt/wolkvox-hits /opt/wolkvox-hits
COPY ops/docker/health.py /opt/wolkvox-hits/health.py
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 CMD ["python", "/opt/wolkvox-hits/health.py"]
CMD ["run"]
