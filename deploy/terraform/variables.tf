# SPDX-License-Identifier: Apache-2.0

variable "role" {
  type        = string
  default     = "edge"
  description = "Role of ../k3s/nodes.yaml, which has its labels and the kubelet's limits: edge or agent."
  validation {
    condition     = fileexists("${path.module}/../cloud-init/user-data-${var.role}.yaml")
    error_message = "deploy/k3s/nodes.yaml has no such role."
  }
}

variable "server" {
  type        = string
  description = "URL of the K3s server, such as https://k3s.example.com:6443."
  validation {
    condition     = startswith(var.server, "https://")
    error_message = "server: an https:// URL."
  }
}

variable "token" {
  type        = string
  sensitive   = true
  description = "K3s' join token of this node alone (k3s token create)."
  validation {
    condition     = can(regex("^[[:graph:]]+$", var.token))
    error_message = "token: one word."
  }
}

variable "k3s" {
  type        = object({ url = string, sha256 = string })
  description = "Where the node fetches K3s, and its SHA-256; a program with another hash never starts."
  validation {
    condition     = can(regex("^https://[^'[:space:]]+$", var.k3s.url)) && can(regex("^[0-9a-f]{64}$", var.k3s.sha256))
    error_message = "k3s: an https:// URL, and a SHA-256 of 64 lower-case hexadecimal digits."
  }
}

variable "trusted_keys" {
  type        = map(string)
  description = "Public keys (PEM) whose releases and policies the node trusts, by name: /etc/holdfast/trust.d/NAME.pem."
  validation {
    condition = length(var.trusted_keys) > 0 && alltrue([
      for name, key in var.trusted_keys : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", name)) && startswith(key, "-----BEGIN PUBLIC KEY-----\n")
    ])
    error_message = "trusted_keys: at least one; a name of letters, digits, dots and dashes, and a PEM that begins with BEGIN PUBLIC KEY."
  }
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "More labels of the node, or other values than the role's."
}

variable "kubelet_args" {
  type        = map(string)
  default     = {}
  description = "More arguments of the kubelet, or other values than the role's."
}
