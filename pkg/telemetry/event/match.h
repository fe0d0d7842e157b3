/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "telemetry/event/event.h"

/* Whether `glob` matches the whole text. '*': any bytes; '?': one byte; [a-z_], [!a-z_]: one byte in or outside a set.
 * Pure. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* Whether every condition holds, or there is no condition. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* Returns the attribute's value, or NULL. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
