/* SPDX-License-Identifier: Apache-2.0 */
/* support/makers/signatures.h - what a publisher signs with one key, as objects carry it. Aborts where it fails. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* [{"keyId": ..., "signature": ...}] over `message`. Reading the text of a private key takes ten times as long as
 * signing: of the last four keys it is read once in a process and those it forks. */
json_t *signatures_by(const char *key_id, const struct hf_buf *private_pem, struct hf_view message);

/* Signs and verifies once: what OpenSSL looks up and keeps is there before tests fork, which then free all that
 * they allocate (check_main.h). */
void signatures_prepare(const struct hf_buf *private_pem, const struct hf_buf *public_pem);
