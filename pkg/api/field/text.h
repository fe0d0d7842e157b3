/* api/field/text.h - checks of the strings in our objects. Each function checks the whole string. Pure. The CRDs
 * contain these rules as regular expressions. */
#pragma once

#include <stdbool.h>

bool hf_text_is_object_name(const char *text);  /* DNS-1123 subdomain, at most 253 */
bool hf_text_is_name(const char *text);         /* DNS-1123 label, at most 63 */
bool hf_text_is_label_key(const char *text);    /* [prefix/]name */
bool hf_text_is_label_value(const char *text);  /* at most 63, may be empty */
bool hf_text_is_version(const char *text);      /* starts with a letter or digit; . + _ ~ - inside */
bool hf_text_is_sha256(const char *text);       /* 64 lower case hex digits */
bool hf_text_is_arch(const char *text);         /* kubernetes.io/arch: "arm64", "amd64", "386" ... */
bool hf_text_is_path(const char *text);         /* absolute and normalised path of printable characters; not "/" */
bool hf_text_is_url(const char *text);          /* like hf_text_is_http_url(), or file:///absolute/path */
bool hf_text_is_http_url(const char *text);     /* http or https with a host, no user */
bool hf_text_is_host(const char *text);         /* host name or IP address */
bool hf_text_is_unit(const char *text);         /* systemd unit: "x.service", "x@y.timer" ... */
bool hf_text_is_device(const char *text);       /* path below /dev */
bool hf_text_is_kernel_range(const char *text); /* ">=5.10", "5.10", "<6.6.1" */
bool hf_text_is_cpu_feature(const char *text);  /* as in /proc/cpuinfo */
bool hf_text_is_key_id(const char *text);       /* trust: [a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])? */
bool hf_text_is_signature(const char *text);    /* canonical base64 for 64 bytes */
bool hf_text_is_mode(const char *text);         /* "755", "0755", "4755" */
bool hf_text_is_clock_time(const char *text);   /* "02:00" */
bool hf_text_is_time_zone(const char *text);    /* form of an IANA name; the zone need not exist */
