/* telemetry/event/match.h - compares an event with the `match` of a rule. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* True if `glob` matches all of `text`: '*' stands for any text, '?' for one byte. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* True if every condition of `match` holds for the event. A `match` without conditions matches every event. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* Returns the value of the attribute with this name, or NULL if the event has none. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
