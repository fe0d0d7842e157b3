{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /*
What values.schema.json cannot say in words. The schema checks names, types, choices and bounds; here are the forms of texts, and values
that do not fit together. Every fault is one line: the field, what it is, what is expected.
*/ -}}

{{- /* Rows: field, value, pattern, expectation. An empty value passes where the pattern lets it. */ -}}
{{- define "holdfast.forms" -}}
{{- $path := "^/[^[:space:]:]*[^/[:space:]:]$" -}}
{{- $quantity := "^[0-9]+([.][0-9]+)?(m|[kMGTPE]i?)?$" -}}
{{- $image := "^[a-z0-9][a-z0-9._/-]*$" -}}
{{- $flag := "^--[a-z]" -}}
{{- $namespace := "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" -}}
{{- $name := "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" -}}
{{- $proxy := "^(https?://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?/?)?$" -}}
{{- $proxyHelp := "the URL of a proxy, such as http://proxy.example.com:3128; user and password go into a Secret (proxy.fromSecret)" -}}
{{- $v := .Values -}}
{{- $rows := list
  (list "image.registry" $v.image.registry "^([a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)*/?)?$" "a registry's name, such as images.example.com/edge, without https://")
  (list "image.tag" $v.image.tag "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$" "an image's tag, such as 0.1.0")
  (list "agent.priorityClassName" $v.agent.priorityClassName $name "the name of a PriorityClass, such as system-node-critical")
  (list "controller.priorityClassName" $v.controller.priorityClassName $name "the name of a PriorityClass, such as system-cluster-critical")
  (list "agent.image" $v.agent.image $image "an image's name without registry and tag, such as holdfast-agent")
  (list "controller.image" $v.controller.image $image "an image's name without registry and tag, such as holdfast-controller")
  (list "environment.EDGE_STORAGE_DIR" $v.environment.EDGE_STORAGE_DIR $path "an absolute path, such as /var/edge/data")
  (list "environment.CLOUD_ENDPOINT" $v.environment.CLOUD_ENDPOINT "^(|https://[^[:space:]]+|http://(localhost|127[.]0[.]0[.]1|\\[::1\\])([:/][^[:space:]]*)?)$" "an https:// URL, or an http:// one of this machine")
  (list "environment.DEVICE_KEY_REF" $v.environment.DEVICE_KEY_REF "^(|file:/[^[:space:]]+|env:[A-Za-z_][A-Za-z0-9_]*)$" "file:/path or env:NAME")
  (list "proxy.https" $v.proxy.https $proxy $proxyHelp)
  (list "proxy.http" $v.proxy.http $proxy $proxyHelp)
  (list "proxy.fromSecret" $v.proxy.fromSecret "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$" "the name of a Secret, such as proxy")
  (list "artifacts.fromSecret" $v.artifacts.fromSecret "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$" "the name of a Secret, such as release-store")
  (list "agent.metricsAddress" $v.agent.metricsAddress "^([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$" "a numeric address, such as 0.0.0.0")
  (list "controller.collectAfter" $v.controller.collectAfter "^([0-9]+(h|m|s))+$" "a duration, such as 24h")
  (list "monitoring.interval" $v.monitoring.interval "^[0-9]+(ms|s|m)$" "a duration, such as 30s")
  (list "edgeWorkloads.namespace" $v.edgeWorkloads.namespace $namespace "a namespace's name, such as edge-workloads")
-}}
{{- if kindIs "string" $v.agent.maxUnavailable }}{{- $rows = append $rows (list "agent.maxUnavailable" $v.agent.maxUnavailable "^([1-9][0-9]?|100)%$" "a count of at least 1, or a percentage from 1% to 100%") }}{{- end }}
{{- range $i, $one := $v.agent.updateRoots }}{{- $rows = append $rows (list (printf "agent.updateRoots[%d]" $i) $one $path "an absolute path, such as /opt") }}{{- end }}
{{- range $i, $one := $v.manifests.hostPaths }}{{- $rows = append $rows (list (printf "manifests.hostPaths[%d]" $i) $one $path "an absolute path, such as /etc/kubernetes/manifests") }}{{- end }}
{{- range $field := list "configMaps" "secrets" "fluxSources" "fluxServices" }}{{- range $i, $one := get $v.manifests $field }}
{{- $rows = append $rows (list (printf "manifests.%s[%d].namespace" $field $i) $one.namespace $namespace "a namespace's name, such as site") }}
{{- range $name := $one.names }}{{- $rows = append $rows (list (printf "manifests.%s[%d].names" $field $i) $name "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" "an object's name, such as site-pods") }}{{- end }}
{{- end }}{{- end }}
{{- range $i, $one := $v.manifests.staticPodNamespaces }}{{- $rows = append $rows (list (printf "manifests.staticPodNamespaces[%d]" $i) $one $namespace "a namespace's name, such as site") }}{{- end }}
{{- range $i, $rule := $v.manifests.cluster.rules }}
{{- $where := printf "manifests.cluster.rules[%d]" $i }}
{{- $rows = append $rows (list (printf "%s.reason" $where) $rule.reason "^[^[:cntrl:]]*$" "one line") }}
{{- range $one := $rule.namespaces }}{{- $rows = append $rows (list (printf "%s.namespaces" $where) $one $namespace "a namespace's name, such as site") }}{{- end }}
{{- range $one := $rule.apiGroups }}{{- $rows = append $rows (list (printf "%s.apiGroups" $where) $one "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$" "the name of an API group (the core group is \"\"); a wildcard is none") }}{{- end }}
{{- range $one := $rule.resources }}{{- $rows = append $rows (list (printf "%s.resources" $where) $one "^[a-z0-9-]+(/[a-z]+)?$" "the plural name of a resource, such as deployments; a wildcard is none") }}{{- end }}
{{- end }}
{{- range $i, $one := $v.agent.args }}{{- $rows = append $rows (list (printf "agent.args[%d]" $i) $one $flag "a flag of holdfast-agent, such as --listen-optional") }}{{- end }}
{{- range $i, $one := $v.controller.args }}{{- $rows = append $rows (list (printf "controller.args[%d]" $i) $one $flag "a flag of holdfast-controller, such as --server=https://10.0.0.1:6443") }}{{- end }}
{{- range $i, $one := $v.policies.staticLabels }}{{- $rows = append $rows (list (printf "policies.staticLabels[%d]" $i) $one "^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" "a label's name without its prefix, such as site") }}{{- end }}
{{- range $i, $one := $v.policies.revokedNodes }}{{- $rows = append $rows (list (printf "policies.revokedNodes[%d]" $i) $one $name "a node's name, such as n7") }}{{- end }}
{{- range $i, $one := $v.proxy.noProxy }}{{- $rows = append $rows (list (printf "proxy.noProxy[%d]" $i) $one "^([.]?[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[0-9a-fA-F:]+|[0-9a-fA-F.:]+/[0-9]{1,3})$" "a host, a suffix such as .example.com, or a network such as 10.42.0.0/16") }}{{- end }}
{{- range $i, $one := $v.networkPolicy.apiServerCIDRs }}{{- $rows = append $rows (list (printf "networkPolicy.apiServerCIDRs[%d]" $i) $one "^[0-9a-fA-F.:]+/[0-9]{1,3}$" "a network, such as 10.0.0.10/32") }}{{- end }}
{{- range $id, $pem := $v.firstInstall.trustedKeys }}
{{- $rows = append $rows (list "firstInstall.trustedKeys" $id "^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$" "a key's id: lower case letters, digits, '-' and '.', at most 63") }}
{{- end }}
{{- $quantities := dict "agent.resources.requests" $v.agent.resources.requests "agent.resources.limits" $v.agent.resources.limits
  "agent.unitsResources.requests" $v.agent.unitsResources.requests "agent.unitsResources.limits" $v.agent.unitsResources.limits
  "controller.resources.requests" $v.controller.resources.requests "controller.resources.limits" $v.controller.resources.limits
  "edgeWorkloads.resourceQuota" $v.edgeWorkloads.resourceQuota }}
{{- range $name, $limits := $v.edgeWorkloads.limitRange }}{{- $_ := set $quantities (printf "edgeWorkloads.limitRange.%s" $name) $limits }}{{- end }}
{{- range $field, $map := $quantities }}
{{- range $name, $one := $map }}{{- $rows = append $rows (list (printf "%s.%s" $field $name) (toString $one) $quantity "a quantity, such as 64Mi or 500m") }}{{- end }}
{{- end }}
{{- range $row := $rows }}
{{- if not (regexMatch (index $row 2) (toString (index $row 1))) }}
- {{ index $row 0 }}: '{{ index $row 1 | toString | trunc 100 }}' is not {{ index $row 3 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.together" -}}
{{- with .Values.firstInstall }}
{{- if and (not .trustedKeys) .agentYaml }}
- firstInstall.agentYaml: it is written together with keys; give firstInstall.trustedKeys too
{{- end }}
{{- if and (not .trustedKeys) (gt (int .threshold) 0) }}
- firstInstall.threshold: it is written together with keys; give firstInstall.trustedKeys too
{{- else if gt (int .threshold) (len .trustedKeys) }}
- firstInstall.threshold: {{ .threshold }} signatures of {{ len .trustedKeys }} key(s): no release could ever have so many
{{- end }}
{{- range $id, $pem := .trustedKeys }}
{{- if contains "PRIVATE KEY" $pem }}
- firstInstall.trustedKeys.{{ $id }}: this is a private key, which must not be here; give the public one (holdfast key public)
{{- else if not (regexMatch "^[[:space:]]*-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----[[:space:]]*$" $pem) }}
- firstInstall.trustedKeys.{{ $id }}: expected the text of a public key, from -----BEGIN PUBLIC KEY----- to its end (--set-file takes it from a file)
{{- end }}
{{- end }}
{{- if and .agentYaml (ne (toString (get (fromYaml .agentYaml) "kind")) "AgentConfiguration") }}
- firstInstall.agentYaml: expected a file of kind AgentConfiguration, such as deploy/agent.example.yaml
{{- end }}
{{- end }}
{{- if and .Values.policies.enabled (semverCompare "<1.32.0-0" .Capabilities.KubeVersion.Version) }}
- policies.enabled: this server is {{ .Capabilities.KubeVersion.Version }}, and the policies need 1.32, from which on a pod's token names its node; set it to false and read docs/explanation/security.md first
{{- end }}
{{- if and .Values.proxy.fromSecret (or .Values.proxy.https .Values.proxy.http) }}
- proxy.fromSecret: the Secret has the proxies; leave proxy.https and proxy.http empty
{{- end }}
{{- if and (or .Values.proxy.noProxy .Values.proxy.apiServer) (not (or .Values.proxy.https .Values.proxy.http .Values.proxy.fromSecret)) }}
- proxy.noProxy, proxy.apiServer: there is no proxy; give proxy.https, proxy.http or proxy.fromSecret too
{{- end }}
{{- if and .Values.policies.revokedNodes (not .Values.policies.enabled) }}
- policies.revokedNodes: without policies.enabled nothing refuses these nodes
{{- end }}
{{- if and .Values.certificates.enabled (not .Values.controller.enabled) }}
- certificates.enabled: the controller approves certificates; set controller.enabled=true too
{{- end }}
{{- if and (eq .Values.agent.updateStrategy "OnDelete") .Values.agent.maxUnavailable }}
- agent.maxUnavailable: agent.updateStrategy=OnDelete has none; set it to null
{{- else if and (eq .Values.agent.updateStrategy "RollingUpdate") (not .Values.agent.maxUnavailable) }}
- agent.maxUnavailable: agent.updateStrategy=RollingUpdate needs one, such as 10%
{{- end }}
{{- $ports := list (int .Values.environment.METRICS_PORT) (int .Values.agent.ingestPort) (int .Values.agent.healthPort) }}
{{- if ne (len (uniq $ports)) 3 }}
- agent.ingestPort, agent.healthPort, environment.METRICS_PORT: {{ join ", " $ports }}: give each its own
{{- end }}
{{- if and .Values.edgeWorkloads.enabled (eq .Values.edgeWorkloads.namespace .Release.Namespace) }}
- edgeWorkloads.namespace: '{{ .Release.Namespace }}' is holdfast's own; its bounds would hold the agents back
{{- end }}
{{- end }}

{{- /* Namespaces that get a Role: one that is absent would fail the installation when half of it is done. Without a cluster
(helm template) nothing is known. */ -}}
{{- define "holdfast.namespaces" -}}
{{- $m := .Values.manifests }}
{{- $rows := list }}
{{- range $field := list "configMaps" "secrets" "fluxSources" }}{{- range $i, $one := get $m $field }}
{{- $rows = append $rows (list (printf "manifests.%s[%d].namespace" $field $i) $one.namespace) }}
{{- end }}{{- end }}
{{- if $m.fluxSources }}{{- range $i, $one := $m.fluxServices }}
{{- $rows = append $rows (list (printf "manifests.fluxServices[%d].namespace" $i) $one.namespace) }}
{{- end }}{{- end }}
{{- range $i, $one := $m.staticPodNamespaces }}{{- $rows = append $rows (list (printf "manifests.staticPodNamespaces[%d]" $i) $one) }}{{- end }}
{{- range $i, $rule := $m.cluster.rules }}{{- range $one := $rule.namespaces }}
{{- $rows = append $rows (list (printf "manifests.cluster.rules[%d].namespaces" $i) $one) }}
{{- end }}{{- end }}
{{- $made := list .Release.Namespace (ternary .Values.edgeWorkloads.namespace "" .Values.edgeWorkloads.enabled) }}
{{- if and $rows (lookup "v1" "Namespace" "" "kube-system") }}
{{- range $row := $rows }}
{{- if not (or (has (index $row 1) $made) (lookup "v1" "Namespace" "" (index $row 1))) }}
- {{ index $row 0 }}: the cluster has no namespace '{{ index $row 1 }}'; make it first: kubectl create namespace {{ index $row 1 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.validate" -}}
{{- $faults := printf "%s%s" (include "holdfast.forms" .) (include "holdfast.together" .) | trim }}
{{- if not $faults }}{{- $faults = include "holdfast.namespaces" . | trim }}{{- end }}
{{- if $faults }}
{{- fail (printf "\n\nThese values are wrong:\n%s\n" $faults) }}
{{- end }}
{{- end }}
