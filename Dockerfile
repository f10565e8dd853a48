# syntax=docker/dockerfile:1
# One image for every command of jianhu; which one runs is said in docker-compose.yml.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/jianhu
WORKDIR /src
COPY requirements.lock ./
RUN /opt/jianhu/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY sensors sensors
COPY streams streams
COPY alerts alerts
COPY dashboards dashboards
COPY simulators simulators
COPY jianhu jianhu
RUN /opt/jianhu/bin/pip install --no-deps --no-build-isolation . \
    && /opt/jianhu/bin/python -m compileall -q /opt/jianhu/lib

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/jianhu jianhu \
    && install -d -o jianhu -g jianhu -m 0750 /var/lib/jianhu /var/lib/jianhu/archive /var/lib/jianhu/notices \
    && install -d /etc/jianhu
COPY --from=build /opt/jianhu /opt/jianhu
ENV PATH=/opt/jianhu/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 JIANHU_DIR=/var/lib/jianhu
USER 10001:10001
WORKDIR /var/lib/jianhu
STOPSIGNAL SIGTERM
ENTRYPOINT ["jianhu"]
CMD ["--help"]
