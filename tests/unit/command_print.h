/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * command_print.h: a parsed command back as IMAP, in one canonical spelling; so
 * that tests can compare what was understood, and that parsing the print gives
 * the same print.
 */
#ifndef TESTS_UNIT_COMMAND_PRINT_H
#define TESTS_UNIT_COMMAND_PRINT_H

#include "base/buf.h"
#include "imapd/wire/command.h"

/* Without the tag; an APPEND ends with the size of its literal. */
void command_print(struct buf *b, const struct command *cmd);

#endif
