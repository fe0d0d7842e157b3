/* SPDX-License-Identifier: Apache-2.0 */
/* What the reasons of a status mean, and what to do, as JSON for the page. Pure. */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

/* {"update": {NAME: {"means": TEXT, "do": TEXT}}, "manifest": {NAME: {"means": TEXT}},
 *  "contact": {NAME: {"do": TEXT}}}. -ENOMEM, -E2BIG. */
HF_MUST_USE int hf_page_reasons(struct hf_buf *out);
