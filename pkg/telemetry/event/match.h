/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/match.h - decides if the `match` of a policy rule applies to an event. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* Returns true if the pattern `glob` matches the whole of `text`. In the pattern, '*' stands for any text, '?' for any
 * byte, [a-z_] for a byte of the set, and [!a-z_] for a byte that is not in it. A '[' without its ']' stands for
 * itself. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* Returns true if every condition of `match` holds for the event. A `match` without conditions matches every event. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* Returns the value of the attribute with this name, or NULL if the event has none. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
