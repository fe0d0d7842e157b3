/* SPDX-License-Identifier: Apache-2.0 */
/* mirror/challenge.h - where a registry that answers 401 sends for a token (RFC 6750, RFC 9110 section 11). Pure;
 * untrusted input. Threads: any. */
#pragma once

#include "base/macros.h"

enum { HF_MIRROR_REALM = 1024, HF_MIRROR_SERVICE = 256 };

struct hf_mirror_challenge {
    char realm[HF_MIRROR_REALM]; /* a URL */
    char service[HF_MIRROR_SERVICE];
};

/* A header WWW-Authenticate. -EBADMSG: not of the scheme Bearer, without a realm, or not well formed. -E2BIG. */
HF_MUST_USE int hf_mirror_challenge_parse(const char *text, struct hf_mirror_challenge *ret);

/* Of a token to pull from the repository `name`, whatever scope the registry asked for. The caller frees it. NULL: out
 * of memory. */
char *hf_mirror_token_url(const struct hf_mirror_challenge *challenge, const char *name);
