/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Variables of the original that programs and tools read by name (surface ABI-10). Names and sizes
 * are part of the binary interface; the library keeps those true that mean something here. pvmmyctx
 * and pvmautoerr are not copies: what a program writes there counts.
 */
#ifndef LIBPVM_DATA_H
#define LIBPVM_DATA_H

extern int pvm_errno, pvm_nerr;
extern char *pvm_errlist[];
extern struct Pvmtracer pvmctrc; /* for children */
extern struct Pvmtracer pvmtrc;  /* our own */
extern int pvmmytid, pvmmyptid, pvmmyupid, pvmmyctx, pvmmydsig, pvmschedtid, pvmautoerr, pvmdebmask,
    pvmrouteopt, pvmfrgsiz, pvmudpmtu, pvmrescode, pvmshowtaskid, pvmnoreset, pvmnoresetindex,
    pvmnsibs, pvmtoplvl, pvm_useruid;
extern int *pvmsibtids;
extern char *pvmmytaskname;

/* Copies identity and options of the library to the variables above. */
void data_refresh(void);

#endif
