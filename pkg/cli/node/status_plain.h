/* cli/node/status_plain.h - makes the texts of a status safe for a terminal, as cli/plain.h does for one text.
 *
 * A status repeats texts of objects from the cluster, such as a value that the agent refused. Main thread only. */
#pragma once

#include "cli/plain.h"
#include "codec/json.h"

/* Applies hf_cli_plain_bytes() to the strings and the names of members in `root`, at any depth. Changes `root` in
 * place. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_cli_make_plain(json_t *root);
