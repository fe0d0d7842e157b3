/* SPDX-License-Identifier: Apache-2.0 */
/* `match` of a policy rule. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* The whole text. '*': any; '?': a byte; [a-z_], [!a-z_]: a set; '[' without ']': itself. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* Every condition holds, or there is none. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* NULL: no such attribute. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
