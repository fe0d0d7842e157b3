/* telemetry/event/match.h - does an event fit what a rule says. Pure. */
#pragma once

#include "telemetry/event/event.h"

/* '*' is any text, '?' any one byte. The whole of `text`. */
bool hf_match_glob(const char *glob, struct hf_view text);

/* All that is given must hold; nothing given holds for every event. */
bool hf_match(const struct hf_event_match *match, const struct hf_event *event);

/* The value of an attribute, or NULL. */
const struct hf_view *hf_event_attribute(const struct hf_event *event, struct hf_view name);
