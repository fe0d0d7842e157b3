/* SPDX-License-Identifier: Apache-2.0 */
/* api/field/text.h - checks the form of strings in EdgeUpdates and SyncPolicies. Each function returns true if the
 * whole string has the form that its comment describes. The CRDs contain the same rules as regular expressions.
 * Pure. */
#pragma once

#include <stdbool.h>

bool hf_text_is_object_name(const char *text); /* DNS-1123 subdomain, at most 253 characters */
bool hf_text_is_name(const char *text);        /* DNS-1123 label, at most 63 characters */
bool hf_text_is_label_key(const char *text);   /* label key of the form [prefix/]name */
bool hf_text_is_label_value(const char *text); /* label value, at most 63 characters, possibly empty */
/* version of at most 64 characters: starts with a letter or digit, and then may also have . + _ ~ - */
bool hf_text_is_version(const char *text);
bool hf_text_is_sha256(const char *text);   /* SHA-256 as 64 lower-case hex digits */
bool hf_text_is_arch(const char *text);     /* form of a value of kubernetes.io/arch, such as "arm64" or "386" */
bool hf_text_is_path(const char *text);     /* absolute and normalized path, without control characters; not "/" */
bool hf_text_is_url(const char *text);      /* URL as hf_text_is_http_url() requires it, or file:///absolute/path */
bool hf_text_is_http_url(const char *text); /* http or https URL with a host and without a user */
bool hf_text_is_host(const char *text);     /* only characters of host names and IP addresses */
bool hf_text_is_unit(const char *text);     /* name of a service, socket, target, timer, path or mount unit */
bool hf_text_is_device(const char *text);   /* path of a device below /dev */
/* constraint for a kernel release, such as ">=5.10", "=6.1" or "<6.6.1" */
bool hf_text_is_kernel_range(const char *text);
bool hf_text_is_cpu_feature(const char *text); /* name of a CPU feature, as in /proc/cpuinfo */
bool hf_text_is_key_id(const char *text);      /* id of a public key, [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])? */
bool hf_text_is_signature(const char *text);   /* canonical base64 of 64 bytes */
bool hf_text_is_mode(const char *text);        /* octal file mode, such as "755", "0755" or "4755" */
bool hf_text_is_clock_time(const char *text);  /* time of day, such as "02:00" */
bool hf_text_is_time_zone(const char *text);   /* form of an IANA time zone name; the zone need not exist */
