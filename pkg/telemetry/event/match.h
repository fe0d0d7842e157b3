/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "telemetry/event/event.h"

/* A policy's `match`, of whole texts. '*': any; '?': a byte; [a-z_], [!a-z_]: a set; '[' without ']': itself. Pure, as
 * all here. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* Every condition holds, or there is none. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* Or NULL. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
