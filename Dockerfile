# The binary is static and carries its own pages, scripts and time zones, so the
# final image holds it, the certificates that TLS needs, and an empty data folder.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/joute ./cmd/joute \
 && mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/joute /joute
# A new named volume takes the owner and mode of the folder it covers.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
EXPOSE 8080
# No HEALTHCHECK: there is no shell and no curl in here to run one. Ask /readyz
# (or /livez) over HTTP from the outside.
ENV JOUTE_LISTEN=0.0.0.0:8080 JOUTE_DATA=/data
ENTRYPOINT ["/joute"]
CMD ["serve"]
