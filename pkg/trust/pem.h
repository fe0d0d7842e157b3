/* SPDX-License-Identifier: Apache-2.0 */
/* Internal: names what a text is in place of the expected key. Pure. */
#pragma once

#include "base/err.h"

/* Returns -EBADMSG, with *err such as "holds a private key; a public key (ed25519, PEM) is expected". */
int hf_trust_pem_refuse(struct hf_err *err, const char *pem, const char *expected);
