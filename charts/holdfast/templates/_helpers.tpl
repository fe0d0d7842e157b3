{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* The image of a component: {{ include "holdfast.image" (list . .Values.agent.image) }} */ -}}
{{- define "holdfast.image" -}}
{{- $top := index . 0 -}}
{{- $name := index . 1 -}}
{{- with $top.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $name }}:{{ $top.Values.image.tag | default $top.Chart.AppVersion }}
{{- end }}

{{- /* Who agents and the controller are, as the API server names them. */ -}}
{{- define "holdfast.agentUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:holdfast-agent
{{- end }}
{{- define "holdfast.controllerUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:holdfast-controller
{{- end }}

{{- /* True if a Prometheus elsewhere reaches the agents' metrics. */ -}}
{{- define "holdfast.agentMetricsOpen" -}}
{{- if not (or (hasPrefix "127." .Values.agent.metricsAddress) (eq .Values.agent.metricsAddress "::1")) }}true{{ end }}
{{- end }}

{{- /* What both the agent and the container that installs it on the host have in their environment. */ -}}
{{- define "holdfast.agentEnvironment" -}}
# EDGE_STORAGE_DIR, CLOUD_ENDPOINT, DEVICE_KEY_REF, SYNC_MAX_RETRIES, SYNC_RETRY_BASE_MS, LOG_LEVEL, METRICS_PORT
envFrom:
- configMapRef: {name: holdfast-agent}
env:
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
- {name: HOLDFAST_HOST_LIFE, value: {{ .Values.agent.mode }}}
# All three listen on the node's loopback address. For a Prometheus elsewhere set METRICS_ADDRESS, and leave INGEST_ADDRESS alone:
# /ingest takes events from whoever reaches it. "off" as a port switches one off.
- {name: METRICS_ADDRESS, value: {{ quote .Values.agent.metricsAddress }}}
- {name: INGEST_PORT, value: {{ int .Values.agent.ingestPort | quote }}}
- {name: HEALTH_PORT, value: {{ int .Values.agent.healthPort | quote }}}
{{- if not .Values.policies.enabled }}
# Without admission policies an agent has no right to patch Nodes.
- {name: HOLDFAST_LABELS_BY, value: controller}
{{- end }}
{{- with .Values.proxy }}
{{- if .https }}
- {name: HTTPS_PROXY, value: {{ quote .https }}}
{{- end }}
{{- if .http }}
- {name: HTTP_PROXY, value: {{ quote .http }}}
{{- end }}
{{- if .fromSecret }}
- name: HTTPS_PROXY
  valueFrom: {secretKeyRef: {name: {{ quote .fromSecret }}, key: HTTPS_PROXY}}
- name: HTTP_PROXY
  valueFrom: {secretKeyRef: {name: {{ quote .fromSecret }}, key: HTTP_PROXY, optional: true}}
{{- end }}
{{- if or .https .http .fromSecret }}
- {name: NO_PROXY, value: {{ concat (list "localhost" "127.0.0.0/8" "::1" ".svc" ".cluster.local") (ternary (list) (list "$(KUBERNETES_SERVICE_HOST)") .apiServer) .noProxy | join "," | quote }}}
{{- end }}
{{- end }}
{{- end }}
