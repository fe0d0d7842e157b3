/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet as text. Pure, but for one thread at a time. */
#pragma once

#include "base/buf.h"
#include "cli/ui/model.h"

enum hf_ui_sort { HF_UI_BY_STATE, HF_UI_BY_NAME, HF_UI_BY_SILENCE, HF_UI_SORTS };

enum { HF_UI_FIND = 64, HF_UI_SELECTED = 640, HF_UI_MAX_SCREEN_BYTES = 16 << 20 };

struct hf_ui_screen {
    const struct hf_ui_model *model;
    const json_t *state;
    int64_t now_unix_s;
    unsigned columns, lines; /* 0 lines: draw all once, for a file */
    bool colour;
    char find[HF_UI_FIND];
    bool typing;
    enum hf_ui_sort sort;
    char selected[HF_UI_SELECTED]; /* name of a row; "": the first one */
    bool open;                     /* the row's details are shown */
    unsigned scroll;
    int move; /* how many rows the next draw moves the selection */
};

/* Handles bytes from the keyboard. Returns false to quit. */
bool hf_ui_screen_input(struct hf_ui_screen *screen, const char *bytes, size_t n);

/* Moves the selection. Appends `lines` lines of at most `columns` characters, without line end at last. -E2BIG. */
HF_MUST_USE int hf_ui_screen_draw(struct hf_ui_screen *screen, struct hf_buf *out);
