# The model of the score by R: maximum likelihood by glm, Firth's by brglm2; as JSON on the standard output:
#   Rscript score.R values.csv pathology.csv > score.json
# Made with R 4.2.2, pROC 1.18.0, brglm2 0.9. The HER2 status is found here anew, by the paper's rule.

suppressPackageStartupMessages({library(brglm2); library(pROC)})

arguments <- commandArgs(trailingOnly = TRUE)
cases <- merge(read.csv(arguments[1]), read.csv(arguments[2]), by = "case")
amplified <- with(cases, (her2_ish_ratio >= 2 & her2_copies >= 4) | her2_copies >= 6)
ihc <- as.character(cases$her2_ihc)
cases$outcome <- ifelse(ihc == "3+" | (ihc == "2+" & amplified), 1, ifelse(ihc %in% c("1+", "2+"), 0, NA))
cases$er <- as.integer(cases$er_percent >= 1)
cases$delta_T1_ratio <- with(cases, (T1_pre - T1_post) / T1_pre)
cases <- cases[!is.na(cases$outcome), ]
tight <- glm.control(epsilon = 1e-14, maxit = 100)

figures <- list()
keep <- function(.path, ...) {
  found <- list(...)
  for (name in names(found)) figures[[paste(.path, name, sep = "/")]] <<- unname(found[[name]])
}
keep_fit <- function(name, fit) {
  keep(name, n = nobs(fit), events = sum(fit$y))
  for (i in seq_along(coef(fit))) {
    figures[[paste(name, "coefficient", i - 1, sep = "/")]] <<- unname(coef(fit)[i])
    for (j in seq_along(coef(fit))) figures[[paste(name, "covariance", i - 1, j - 1, sep = "/")]] <<- vcov(fit)[i, j]
  }
}

keep_fit("paper", glm(outcome ~ er + T2star + T1_post, binomial, cases, control = tight))
keep_fit("ratio", glm(outcome ~ er + T2star + delta_T1_ratio + T2, binomial, cases, control = tight))

# Cases that T2* separates at 27 ms.
apart <- cases[(cases$outcome == 1) == (cases$T2star > 27), ]
keep_fit("separated", glm(outcome ~ er + T2star + T1_post, binomial, apart, method = "brglmFit", type = "AS_mean",
                          epsilon = 1e-13, maxit = 10000))

paper <- glm(outcome ~ er + T2star + T1_post, binomial, cases, control = tight)
curve <- roc(cases$outcome, predict(paper), levels = c(0, 1), direction = "<", quiet = TRUE)
best <- coords(curve, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"))
interval <- as.numeric(ci.auc(curve, method = "delong"))
keep("roc", auc = as.numeric(auc(curve)), low = interval[1], high = interval[3], cut_off = plogis(best$threshold),
     sensitivity = best$sensitivity, specificity = best$specificity)

numbers <- unlist(figures)
stopifnot(all(is.finite(numbers)))
cat("{\n", paste(sprintf("  \"%s\": %.17g", names(figures), numbers), collapse = ",\n"), "\n}\n", sep = "")
