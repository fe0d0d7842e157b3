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
