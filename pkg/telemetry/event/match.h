/* telemetry/event/match.h - compares an event with the `match` of a rule. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* True if `glob` matches all of `text`: '*' stands for any text, '?' for one byte. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* True if every given condition holds; without conditions it holds for every event. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* Returns the value of an attribute, or NULL. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
