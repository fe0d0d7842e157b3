/* SPDX-License-Identifier: Apache-2.0 */
/* Walks libyaml's events, keeps the path so far as one text, and compares it with the wanted one. */
#include "codec/yaml_place.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "codec/scan.h"

enum { MAX_DEPTH = 64, MAX_PATH = 1024 };

struct place_level {
    bool mapping;
    bool value_next; /* mapping: a key was read */
    size_t index;    /* sequence: index of the next entry */
    size_t path_n;   /* length of the path that leads here */
};

struct place_walk {
    const char *path; /* the wanted one */
    char here[MAX_PATH];
    size_t here_n;
    struct place_level levels[MAX_DEPTH];
    size_t n_levels;
    size_t best_n; /* length of the part of `path` that leads to the best line */
    size_t best_line;
    size_t key_line;
};

/* Keeps the line if `here` is `path` or leads to it, and is nearer than the best one so far. */
static void judge(struct place_walk *walk, size_t line)
{
    size_t n = walk->here_n;

    if (strncmp(walk->path, walk->here, n) != 0)
        return;
    char next = walk->path[n];
    if (next != '\0' && next != '.' && next != '[' && n > 0)
        return;
    if (walk->best_line == 0 || n > walk->best_n) {
        walk->best_n = n;
        walk->best_line = line;
    }
}

/* Goes one step down: to a key, or (NULL) to an entry of a list. */
static void extend(struct place_walk *walk, const char *key, size_t index)
{
    size_t room = sizeof(walk->here) - walk->here_n;
    char *end = walk->here + walk->here_n;
    int n = key != NULL ? snprintf(end, room, "%s%.256s", walk->here_n > 0 ? "." : "", key)
                        : snprintf(end, room, "[%zu]", index);

    walk->here_n = n < 0 || (size_t)n >= room ? sizeof(walk->here) - 1 : walk->here_n + (size_t)n;
}

/* A value begins. */
static void enter(struct place_walk *walk, size_t line)
{
    struct place_level *level = walk->n_levels > 0 ? &walk->levels[walk->n_levels - 1] : NULL;

    if (level != NULL && !level->mapping) {
        walk->here_n = level->path_n;
        extend(walk, NULL, level->index++);
    } else if (level != NULL) {
        line = walk->key_line;
    }
    judge(walk, line);
}

/* A value has ended: go back to the path of its container. */
static void leave(struct place_walk *walk)
{
    struct place_level *level = walk->n_levels > 0 ? &walk->levels[walk->n_levels - 1] : NULL;

    if (level == NULL)
        return;
    walk->here_n = level->path_n;
    walk->here[walk->here_n] = '\0';
    level->value_next = false;
}

static void on_scalar(struct place_walk *walk, const yaml_event_t *event)
{
    struct place_level *level = walk->n_levels > 0 ? &walk->levels[walk->n_levels - 1] : NULL;
    size_t line = event->start_mark.line + 1;

    if (level != NULL && level->mapping && !level->value_next) {
        walk->here_n = level->path_n;
        extend(walk, event->type == YAML_SCALAR_EVENT ? (const char *)event->data.scalar.value : "*", 0);
        walk->key_line = line;
        level->value_next = true;
        return;
    }
    enter(walk, line);
    leave(walk);
}

static bool on_start(struct place_walk *walk, const yaml_event_t *event, bool mapping)
{
    if (walk->n_levels == MAX_DEPTH)
        return false;
    enter(walk, event->start_mark.line + 1);
    walk->levels[walk->n_levels++] = (struct place_level){.mapping = mapping, .path_n = walk->here_n};
    return true;
}

/* Takes one event of the wanted document. False: the walk has ended. */
static bool step(struct place_walk *walk, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
        return on_start(walk, event, true);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(walk, event, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        walk->n_levels--;
        leave(walk);
        return true;
    case YAML_SCALAR_EVENT:
    case YAML_ALIAS_EVENT:
        on_scalar(walk, event);
        return true;
    default:
        return event->type != YAML_DOCUMENT_END_EVENT;
    }
}

/* Empty documents do not count: hf_yaml_parse_all() leaves them out. */
static bool is_empty_root(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path)
{
    struct place_walk walk = {.path = path};
    bool at_root = false, inside = false, more = true;
    size_t documents = 0;
    yaml_parser_t parser;
    size_t mark = hf_scan_mark_bytes(text);

    text = (struct hf_view){text.p + mark, text.n - mark};
    if (!yaml_parser_initialize(&parser))
        return 0;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.n > 0 ? text.p : ""), text.n);
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            break;
        if (at_root)
            inside = !is_empty_root(&event) && documents++ == document;
        if (inside)
            more = step(&walk, &event);
        at_root = event.type == YAML_DOCUMENT_START_EVENT;
        more = more && event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return walk.best_line;
}
