/* SPDX-License-Identifier: Apache-2.0 */
/* Removes secrets from a text that leaves the fleet. Pure; any thread.
 *
 * Each leaves a note:
 *   - private keys in PEM, also with \n for line ends or without an end
 *   - the value of a name such as password, token, authorization or client-key-data in JSON, YAML, headers,
 *     NAME=VALUE and "--name VALUE", and what is nested below; not if the name ends with File, Path, Dir, Ref or Name
 *   - user, password and query of a URL; the word after Bearer, Basic and the like
 *   - words of 20 or more characters that mix upper case, lower case and digits (tokens, keys in base64; not hashes
 *     in hexadecimal, uids and names)
 *
 * A secret without these forms stays. */
#pragma once

#include "base/buf.h"

/* '?' for control characters, except line ends and tabs, and changes of direction. hf_buf_add()'s. */
HF_MUST_USE int hf_cli_redact(struct hf_view text, struct hf_buf *out);
