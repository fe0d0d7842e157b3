/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of strings, mostly as in the CRDs' regular expressions. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

bool hf_text_is_object_name(const char *text); /* DNS-1123 subdomain, at most 253 */
bool hf_text_is_name(const char *text);        /* DNS-1123 label, at most 63 */
bool hf_text_is_label_key(const char *text);   /* [prefix/]name */
bool hf_text_is_label_value(const char *text); /* at most 63, or empty */
/* at most 64: a letter or digit, then also . + _ ~ - */
bool hf_text_is_version(const char *text);
bool hf_text_is_sha256(const char *text); /* 64 lower-case hex digits */
bool hf_text_is_arch(const char *text);   /* such as "arm64" or "386" */
bool hf_text_is_path(const char *text);   /* absolute, normal, no control characters; not "/" */
/* hf_text_is_http_url(), file:///absolute/path, or a registry's blob: oci://HOST[:PORT]/REPOSITORY@sha256:DIGEST */
bool hf_text_is_url(const char *text);
bool hf_text_is_http_url(const char *text);      /* http or https, a host, no user */
bool hf_text_is_repository(struct hf_view text); /* by the OCI distribution specification */
bool hf_text_is_host(const char *text);          /* checks only the characters; IP addresses count, too */
bool hf_text_is_unit(const char *text);          /* service, socket, target, timer, path or mount; no template */
bool hf_text_is_device(const char *text);
/* ">=5.10", "=6.1" or "<6.6.1" */
bool hf_text_is_kernel_range(const char *text);
bool hf_text_is_cpu_feature(const char *text);
bool hf_text_is_key_id(const char *text);     /* [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])? */
bool hf_text_is_signature(const char *text);  /* canonical base64 of 64 bytes */
bool hf_text_is_mode(const char *text);       /* octal: "755", "0755" or "4755" */
bool hf_text_is_clock_time(const char *text); /* "02:00" */
bool hf_text_is_time_zone(const char *text);  /* the zone need not exist */
