# syntax=docker/dockerfile:1
# Two stages: the first has pip and a compiler's worth of cache, the second only what runs.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/wolkvox-hits \
 && /opt/wolkvox-hits/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas ./schemas
COPY producer ./producer
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir "hatchling>=1.26" \
 && /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /src/dist . \
 && /opt/wolkvox-hits/bin/pip install --no-cache-dir --no-deps /src/dist/*.whl

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="wolkvox-hits" \
      org.opencontainers.image.description="Wolkvox sales hits as a Kafka stream, each exactly once" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin wolkvox
COPY --from=build /opt/wolkvox-hits /opt/wolkvox-hits
ENV PATH="/opt/wolkvox-hits/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATUS_HOST=0.0.0.0
USER 10001
EXPOSE 8080
# The service answers SIGTERM itself within 10 s and starts no child, so it can be process 1.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('STATUS_PORT', '8080') + '/healthz', timeout=4)"]
ENTRYPOINT ["wolkvox-hits"]
CMD ["run"]
