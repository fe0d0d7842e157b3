/* SPDX-License-Identifier: Apache-2.0 */
/* Writes meaning and remedy of a status' reasons as JSON for the page. */
#pragma once

#include "base/buf.h"
#include "base/macros.h"

/* {"update": {NAME: {"means": TEXT, "do": TEXT}}, "manifest": {NAME: {"means": TEXT}},
 *  "contact": {NAME: {"do": TEXT}}}. -E2BIG. */
HF_MUST_USE int hf_page_reasons(struct hf_buf *out);
