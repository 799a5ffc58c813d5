/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * zone.h: the server's time zone, in which INTERNALDATE is told and searched.
 */
#ifndef IMAPD_MAILBOX_ZONE_H
#define IMAPD_MAILBOX_ZONE_H

#include <stdint.h>

/* zone_at(t): minutes east of Greenwich at time t, seconds since 1970.  The
 * process has called tzset() while it could still read the zone's file. */
int zone_at(int64_t t);

/* zone_day(t): the day of t there, as days since 1970-01-01. */
int64_t zone_day(int64_t t);

#endif
