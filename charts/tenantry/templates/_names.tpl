{{- define "tenantry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "tenantry.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "tenantry.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "tenantry.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What is the same in every version: a Deployment's selector never changes. */}}
{{- define "tenantry.selector" -}}
app.kubernetes.io/name: {{ include "tenantry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "tenantry.labels" -}}
{{ include "tenantry.selector" . }}
app.kubernetes.io/part-of: tenantry
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tenantry.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tenantry.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: serviceAccount.create is off, so name the ServiceAccount that is there" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tenantry.image" -}}
{{- $repository := required "image.repository: no image is published; build one with the repository's Containerfile, push it to a registry of yours and name it here" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* The watched namespaces as a JSON list; empty where all are watched. */}}
{{- define "tenantry.namespaces" -}}
{{- if .Values.watch.clusterWide -}}
{{- if .Values.watch.namespaces -}}
{{- fail "watch: say clusterWide or namespaces, not both" -}}
{{- end -}}
[]
{{- else -}}
{{- default (list .Release.Namespace) .Values.watch.namespaces | uniq | sortAlpha | toJson -}}
{{- end -}}
{{- end -}}

{{/* What the controller may do where it watches. docs/kubernetes.md says why, verb by verb. */}}
{{- define "tenantry.rules" -}}
- apiGroups: [tenantry.io]
  resources: [consoles, customers, products, licenses, relationships, upgrades, attestations, inventories, planpolicies]
  verbs: [get, list, watch]
# Finalizers are a part of the object: RBAC has no smaller right. admissionPolicy.enabled narrows it to them.
- apiGroups: [tenantry.io]
  resources: [customers, licenses]
  verbs: [patch]
- apiGroups: [tenantry.io]
  resources:
    - consoles/status
    - customers/status
    - products/status
    - licenses/status
    - relationships/status
    - upgrades/status
    - attestations/status
    - inventories/status
    - planpolicies/status
  verbs: [patch]
- apiGroups: [tenantry.io]
  resources: [consolebindings]
  verbs: [get, list, create, update, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Whether the whole namespace is being deleted: then nobody spoke about customers, and everything is retained.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
# Credentials, by name, when they are needed. Never list, never watch.
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secrets.names }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get{{ if .Values.rbac.secrets.rotate }}, update{{ end }}]
{{- if .Values.rbac.secrets.oneTime }}
# A new Secret has no name yet by which it could be restricted.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end }}
{{- end -}}
