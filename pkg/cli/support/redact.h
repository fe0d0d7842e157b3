/* SPDX-License-Identifier: Apache-2.0 */
/* cli/support/redact.h - takes out of a text what must not leave a node or a fleet, for a person who sends it on.
 *
 * Removed, each with a note in its place:
 *   - private keys in PEM, also with their line ends written as \n, and up to the end of the text if their end is
 *     absent
 *   - the value of a name such as password, token, secret, authorization, cookie, apiKey or client-key-data, in JSON,
 *     YAML, headers and NAME=VALUE, with what is nested below the name
 *   - user and password, and the query, of a URL
 *   - the word behind Bearer, Basic and the like
 *   - a word of 20 or more characters that mixes upper case, lower case and digits, as random tokens, JSON Web Tokens
 *     and keys in base64 do. Hashes in hexadecimal, uids and names of objects do not, and stay.
 * A name that ends with File, Path, Dir, Ref or Name says where a secret is, not what it is: its value stays.
 *
 * Removing too much is right, and too little is not. What has none of these forms stays: no function can tell a
 * password in a free text from another word. Pure; any thread. */
#pragma once

#include "base/buf.h"

/* Appends `text` without its secrets to `out`. Control characters, but for line ends and tabs, and characters that
 * change the direction of a line become '?'. 0, -E2BIG or -ENOMEM as of hf_buf_add(). */
HF_MUST_USE int hf_cli_redact(struct hf_view text, struct hf_buf *out);
