/* cli/node/status_plain.h - makes the texts of a status safe for a terminal.
 *
 * A status repeats texts of objects from the cluster, such as a value that the agent refused. Such a text may contain
 * escape sequences, which a terminal would execute. Main thread only. */
#pragma once

#include "codec/json.h"

/* Replaces these characters in the string values of `root`, at any depth, by '?': control characters, line ends,
 * invalid UTF-8, and characters that change the direction of a text. Changes `root` in place. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_cli_make_plain(json_t *root);

/* Like hf_cli_make_plain(), for one C string. Changes the string in place; the string does not grow. */
void hf_cli_plain_text(char *text);
