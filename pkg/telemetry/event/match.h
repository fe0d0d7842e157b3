/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/match.h - the `match` of a policy rule. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* The whole text must match. '*': any text; '?': any byte; [a-z_], [!a-z_]: a set. A '[' without ']' stands for
 * itself. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* True if every condition holds, or there is none. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* NULL if there is none. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
