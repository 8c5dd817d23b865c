# Statistics of data.csv by R: base, pROC, car, nortest, brglm2; as JSON on the standard output:
#   Rscript cohort.R data.csv resamples.csv > cohort.json
# Made with R 4.2.2, pROC 1.18.0, car 3.1-1, nortest 1.0-4, brglm2 0.9. One object: "statistic/of what/figure": number.
# What no package gives to ten digits (profile likelihoods, Tamhane's T2, Dunn's test) is written out from its definition.

suppressPackageStartupMessages({library(pROC); library(car); library(nortest); library(brglm2)})

figures <- list()
keep <- function(.path, ...) {  # with a point: R would take an argument "p" for the path
  found <- list(...)
  for (name in names(found)) figures[[paste(.path, name, sep = "/")]] <<- unname(found[[name]])
}
path <- function(...) paste(..., sep = "/")
normal <- qnorm(0.975)

arguments <- commandArgs(trailingOnly = TRUE)
everyone <- read.csv(arguments[1], stringsAsFactors = FALSE)
everyone$group <- factor(everyone$group, levels = c("zero", "low", "positive"))
two <- everyone[everyone$group != "zero", ]
two$outcome <- as.integer(two$group == "positive")
two$prediction <- plogis(-4 + 0.1 * two$T2star + 0.003 * two$T1_post - 0.8 * two$er)

# ROC

directions <- c(T1_pre = "<", T1_post = "<", T2 = "<", T2star = "<", delta_T1 = ">", er = ">", pr = ">",
                ki67_high = "<", age = ">", grade = "<", nearly = "<", quasi = "<", reversed = ">")
curve_of <- function(data, marker) {
  roc(data$outcome, data[[marker]], levels = c(0, 1), direction = directions[[marker]], quiet = TRUE)
}
share <- function(.path, count, n) {
  score <- prop.test(count, n, correct = FALSE)$conf.int
  exact <- binom.test(count, n)$conf.int
  keep(.path, value = count / n, wilson_low = score[1], wilson_high = score[2], exact_low = exact[1], exact_high = exact[2])
}
roc_of <- function(marker) {
  data <- two[!is.na(two[[marker]]), ]
  curve <- curve_of(data, marker)
  area <- as.numeric(auc(curve))
  error <- sqrt(var(curve, method = "delong"))
  interval <- ci.auc(curve, method = "delong")
  logit <- plogis(qlogis(area) + c(-1, 1) * normal * error / (area * (1 - area)))
  z <- (area - 0.5) / error
  keep(path("roc", marker), auc = area, low = interval[1], high = interval[3], se = error, logit_low = logit[1],
       logit_high = logit[2], z = z, p = 2 * pnorm(-abs(z)), n = nrow(data))
  best <- coords(curve, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
  keep(path("roc", marker), ties = nrow(best))
  best <- best[order(round((1 - best$sensitivity)^2 + (1 - best$specificity)^2, 12), -best$sensitivity)[1], ]
  keep(path("roc", marker), threshold = best$threshold, sensitivity = best$sensitivity, specificity = best$specificity)
  called <- if (directions[[marker]] == "<") data[[marker]] >= best$threshold else data[[marker]] <= best$threshold
  truth <- data$outcome == 1
  share(path("diagnosis", marker, "sensitivity"), sum(called & truth), sum(truth))
  share(path("diagnosis", marker, "specificity"), sum(!called & !truth), sum(!truth))
  share(path("diagnosis", marker, "accuracy"), sum(called == truth), length(truth))
  share(path("diagnosis", marker, "positive_predictive_value"), sum(called & truth), sum(called))
  share(path("diagnosis", marker, "negative_predictive_value"), sum(!called & !truth), sum(!called))
}
for (marker in names(directions)) roc_of(marker)

compared <- c("T1_post", "T2star", "delta_T1", "er", "age")
p <- c()
for (pair in combn(compared, 2, simplify = FALSE)) {
  data <- two[complete.cases(two[pair]), ]
  upright <- function(marker) {  # pROC warns of pairs with different directions
    roc(data$outcome, ifelse(directions[[marker]] == "<", 1, -1) * data[[marker]], levels = c(0, 1), direction = "<", quiet = TRUE)
  }
  tested <- roc.test(upright(pair[1]), upright(pair[2]), method = "delong", paired = TRUE)
  difference <- tested$estimate[[1]] - tested$estimate[[2]]
  half <- normal * abs(difference / tested$statistic[[1]])
  name <- path("paired", pair[1], pair[2])
  keep(name, difference = difference, low = difference - half, high = difference + half, z = tested$statistic[[1]],
       p = tested$p.value, n = nrow(data))
  p[name] <- tested$p.value
}
for (name in names(p)) {
  keep(name, p_bonferroni = p.adjust(p, "bonferroni")[[name]], p_holm = p.adjust(p, "holm")[[name]])
}

# Logistic regression

tight <- glm.control(epsilon = 1e-15, maxit = 100)
bound <- function(design, outcome, j, fit, side) {  # of the profile likelihood, by its definition
  best <- as.numeric(logLik(fit))
  fall <- function(b) {
    rest <- glm.fit(design[, -j, drop = FALSE], outcome, offset = b * design[, j], family = binomial(), control = tight)
    (best + rest$deviance / 2) - qchisq(0.95, 1) / 2
  }
  b <- coef(fit)[[j]]
  step <- side * sqrt(vcov(fit)[j, j])
  far <- b + step
  while (fall(far) < 0) far <- far + step
  uniroot(fall, sort(c(b, far)), tol = 1e-13 * abs(step))$root
}
logistic_of <- function(name, predictors) {
  data <- two[complete.cases(two[predictors]), ]
  fit <- glm(reformulate(predictors, "outcome"), binomial, data, control = tight)
  design <- model.matrix(fit)
  null <- glm(outcome ~ 1, binomial, data, control = tight)
  table <- summary(fit)$coefficients
  chi2 <- null$deviance - fit$deviance
  keep(path("logistic", name), log_likelihood = as.numeric(logLik(fit)), aic = AIC(fit), chi2 = chi2,
       p = pchisq(chi2, length(predictors), lower.tail = FALSE), n = nrow(data), events = sum(data$outcome))
  vifs <- if (length(predictors) > 1) vif(lm(reformulate(predictors, "outcome"), data)) else NULL
  for (j in seq_along(coef(fit))) {
    term <- if (j == 1) "intercept" else predictors[j - 1]
    b <- table[j, 1]; error <- table[j, 2]
    keep(path("logistic", name, term), coefficient = b, se = error, z = table[j, 3], p = table[j, 4])
    if (j == 1) next
    profile <- c(bound(design, data$outcome, j, fit, -1), bound(design, data$outcome, j, fit, 1))
    without <- glm.fit(design[, -j, drop = FALSE], data$outcome, family = binomial(), control = tight)
    ratio <- without$deviance - fit$deviance
    spread <- sd(data[[term]])
    keep(path("logistic", name, term), odds_ratio = exp(b), low = exp(b - normal * error), high = exp(b + normal * error),
         profile_low = exp(profile[1]), profile_high = exp(profile[2]), per_sd = exp(b * spread),
         per_sd_low = exp((b - normal * error) * spread), per_sd_high = exp((b + normal * error) * spread),
         per_sd_profile_low = exp(profile[1] * spread), per_sd_profile_high = exp(profile[2] * spread),
         lr_chi2 = ratio, lr_p = pchisq(ratio, 1, lower.tail = FALSE))
    if (length(predictors) > 1) keep(path("logistic", name, term), vif = vifs[[term]])
  }
  invisible(fit)
}
candidates <- c("T1_pre", "T1_post", "T2", "T2star", "er", "pr", "ki67_high", "age")
for (name in c(candidates, "nearly")) logistic_of(name, name)
model <- c("er", "T2star", "T1_post")
fit <- logistic_of("model", model)
logistic_of("all", candidates)
larger <- glm(outcome ~ T2star + T1_post + er + age, binomial, two, control = tight)
used <- two[complete.cases(two[c("T2star", "T1_post", "er", "age")]), ]
smaller <- glm(outcome ~ T2star + er, binomial, used, control = tight)
tested <- anova(smaller, larger, test = "LRT")
keep("nested/model", chi2 = tested$Deviance[2], df = tested$Df[2], p = tested$`Pr(>Chi)`[2])

# Firth: estimates by brglm2; penalised likelihood, its profile and its ratio test from their definition

penalised <- function(b, design, outcome) {
  eta <- drop(design %*% b)
  mu <- plogis(eta)
  information <- crossprod(design, design * (mu * (1 - mu)))
  sum(outcome * eta - log1p(exp(-abs(eta))) - pmax(eta, 0)) + as.numeric(determinant(information)$modulus) / 2
}
firth_of <- function(name, predictors) {
  data <- two[complete.cases(two[predictors]), ]
  scale <- c(1, sapply(data[predictors], sd))
  shift <- c(0, sapply(data[predictors], mean))
  fit <- glm(reformulate(predictors, "outcome"), binomial, data, method = "brglmFit", type = "AS_mean",
             epsilon = 1e-13, maxit = 10000)
  raw <- model.matrix(fit)
  design <- sweep(sweep(raw, 2, shift), 2, scale, "/")  # for the search alone: the likelihood differs by a constant
  best <- coef(fit) * scale
  best[1] <- coef(fit)[1] + sum(coef(fit)[-1] * shift[-1])
  top <- penalised(best, design, data$outcome)
  restricted <- function(j, b) {
    given <- function(rest) { full <- numeric(length(best)); full[j] <- b; full[-j] <- rest; -penalised(full, design, data$outcome) }
    start <- best[-j]
    for (i in 1:6) start <- optim(start, given, method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))$par
    -given(start)
  }
  keep(path("firth", name), log_likelihood = penalised(coef(fit), raw, data$outcome))
  for (j in seq_along(best)) {
    term <- if (j == 1) "intercept" else predictors[j - 1]
    error <- sqrt(vcov(fit)[j, j])
    keep(path("firth", name, term), coefficient = coef(fit)[[j]], se = error)
    if (j == 1) next
    fall <- function(b) top - restricted(j, b) - qchisq(0.95, 1) / 2
    ends <- sapply(c(-1, 1), function(side) {
      step <- side * error * scale[[j]]
      far <- best[[j]] + step
      while (fall(far) < 0) far <- far + step
      uniroot(fall, sort(c(best[[j]], far)), tol = 1e-12)$root
    })
    ratio <- 2 * (top - restricted(j, 0))
    keep(path("firth", name, term), profile_low = ends[1] / scale[[j]], profile_high = ends[2] / scale[[j]],
         lr_chi2 = ratio, lr_p = pchisq(ratio, 1, lower.tail = FALSE))
  }
}
firth_of("separated", "separated")
firth_of("quasi", "quasi")
firth_of("quasi_model", c("quasi", "T2star", "er"))

# Calibration and decision curve, of a prediction that was not fitted here and of the model

hosmer <- function(.path, outcome, prediction) {
  cuts <- cut(prediction, quantile(prediction, seq(0, 1, 0.1)), include.lowest = TRUE)
  observed <- tapply(outcome, cuts, sum); expected <- tapply(prediction, cuts, sum); size <- tapply(outcome, cuts, length)
  chi2 <- sum((observed - expected)^2 / expected + ((size - observed) - (size - expected))^2 / (size - expected))
  keep(.path, chi2 = chi2, df = length(size) - 2, p = pchisq(chi2, length(size) - 2, lower.tail = FALSE))
}
calibration_of <- function(name, outcome, prediction) {
  hosmer(path("calibration", name), outcome, prediction)
  brier <- mean((outcome - prediction)^2)
  logit <- qlogis(prediction)
  slope <- glm(outcome ~ logit, binomial, control = tight)
  large <- glm(outcome ~ 1, binomial, offset = logit, control = tight)
  errors <- c(sqrt(vcov(slope)[2, 2]), sqrt(vcov(large)[1, 1]))
  keep(path("calibration", name), brier = brier, scaled = 1 - brier / (mean(outcome) * (1 - mean(outcome))),
       slope = coef(slope)[[2]], slope_low = coef(slope)[[2]] - normal * errors[1], slope_high = coef(slope)[[2]] + normal * errors[1],
       intercept = coef(large)[[1]], intercept_low = coef(large)[[1]] - normal * errors[2],
       intercept_high = coef(large)[[1]] + normal * errors[2])
  for (threshold in c(0.1, 0.35, 0.5, 0.8)) {
    called <- prediction >= threshold
    odds <- threshold / (1 - threshold)
    keep(path("decision", name, sprintf("%.2f", threshold)), model = mean(called & outcome == 1) - mean(called & outcome == 0) * odds,
         all = mean(outcome) - (1 - mean(outcome)) * odds)
  }
}
known <- two[!is.na(two$prediction), ]
calibration_of("given", known$outcome, known$prediction)
calibration_of("model", fit$y, fitted(fit))

# Groups

describe <- function(name) {
  for (group in levels(everyone$group)) {
    x <- everyone[[name]][everyone$group == group]; x <- x[!is.na(x)]
    quarters <- quantile(x, c(0.25, 0.5, 0.75))
    here <- path("group", name, group)
    keep(here, n = length(x), mean = mean(x), sd = sd(x), q1 = quarters[[1]], median = quarters[[2]], q3 = quarters[[3]])
    known <- suppressWarnings(ks.test(x, "pnorm", mean(x), sd(x), exact = FALSE))
    series <- 2 * sum((-1)^(0:200) * exp(-2 * (1:201)^2 * length(x) * known$statistic[[1]]^2))
    stopifnot(abs(series - known$p.value) < 1e-5)  # R stops its series early
    keep(here, ks = known$statistic[[1]], ks_p = series)
    keep(here, lilliefors = lillie.test(x)$statistic[[1]], lilliefors_p = lillie.test(x)$p.value)
    keep(here, shapiro = shapiro.test(x)$statistic[[1]], shapiro_p = shapiro.test(x)$p.value)
  }
}
dunn <- function(x, g) {
  ranks <- rank(x); n <- length(x); ties <- table(x)
  spread <- n * (n + 1) / 12 - sum(ties^3 - ties) / (12 * (n - 1))
  function(a, b) (mean(ranks[g == a]) - mean(ranks[g == b])) / sqrt(spread * (1 / sum(g == a) + 1 / sum(g == b)))
}
compare <- function(name) {
  data <- everyone[!is.na(everyone[[name]]), ]
  x <- data[[name]]; g <- data$group
  here <- path("compare", name)
  for (center in c("mean", "median")) {
    tested <- leveneTest(x, g, center = get(center))
    keep(path(here, paste0("levene_", center)), statistic = tested$`F value`[1], p = tested$`Pr(>F)`[1])
  }
  equal <- oneway.test(x ~ g, var.equal = TRUE); welch <- oneway.test(x ~ g); rank <- kruskal.test(x, g)
  keep(path(here, "anova"), statistic = equal$statistic[[1]], p = equal$p.value, df2 = equal$parameter[[2]])
  keep(path(here, "welch"), statistic = welch$statistic[[1]], p = welch$p.value, df2 = welch$parameter[[2]])
  keep(path(here, "kruskal"), statistic = rank$statistic[[1]], p = rank$p.value)
  pooled <- pairwise.t.test(x, g, p.adjust.method = "bonferroni", pool.sd = TRUE)$p.value
  residual <- anova(lm(x ~ g))["Residuals", ]
  z_of <- dunn(x, g)
  for (pair in combn(levels(g), 2, simplify = FALSE)) {
    one <- x[g == pair[1]]; other <- x[g == pair[2]]
    there <- path(here, pair[1], pair[2])
    half <- qt(1 - 0.025 / 3, residual$Df) * sqrt(residual$`Mean Sq` * (1 / length(one) + 1 / length(other)))
    keep(path(there, "bonferroni"), p = pooled[pair[2], pair[1]], difference = mean(one) - mean(other),
         low = mean(one) - mean(other) - half, high = mean(one) - mean(other) + half)
    unequal <- t.test(one, other, conf.level = 0.95^(1 / 3))
    keep(path(there, "tamhane"), statistic = unequal$statistic[[1]], df = unequal$parameter[[1]],
         p = -expm1(3 * log1p(-unequal$p.value)), low = unequal$conf.int[1], high = unequal$conf.int[2])
    z <- z_of(pair[1], pair[2])
    keep(path(there, "dunn"), statistic = z, p = min(1, 3 * 2 * pnorm(-abs(z))))
  }
}
compare_two <- function(name) {
  here <- path("two", name)
  low <- two[[name]][two$outcome == 0]; high <- two[[name]][two$outcome == 1]
  student <- t.test(low, high, var.equal = TRUE); welch <- t.test(low, high)
  keep(path(here, "student"), statistic = student$statistic[[1]], p = student$p.value, low = student$conf.int[1], high = student$conf.int[2])
  keep(path(here, "welch"), statistic = welch$statistic[[1]], df = welch$parameter[[1]], p = welch$p.value,
       low = welch$conf.int[1], high = welch$conf.int[2])
  plain <- wilcox.test(low, high, exact = FALSE, correct = FALSE)
  keep(path(here, "mann_whitney"), statistic = plain$statistic[[1]], p = plain$p.value,
       p_continuity = wilcox.test(low, high, exact = FALSE, correct = TRUE)$p.value)
}
for (name in c("T1_pre", "T1_post", "T2", "T2star", "age", "grade")) { describe(name); compare(name); compare_two(name) }

# Factors

crossed <- function(name, data, groups) {
  table <- table(data[[name]], factor(groups))
  here <- path("factor", name, if (ncol(table) == 2) "two" else "three")
  plain <- suppressWarnings(chisq.test(table, correct = FALSE))
  keep(here, chi2 = plain$statistic[[1]], df = plain$parameter[[1]], p = plain$p.value, smallest = min(plain$expected),
       fisher_p = fisher.test(table)$p.value)
  if (all(dim(table) == 2)) {
    yates <- suppressWarnings(chisq.test(table, correct = TRUE))
    keep(here, yates = yates$statistic[[1]], yates_p = yates$p.value)
  }
}
for (name in c("er", "pr", "ki67_high", "grade", "histology", "quasi")) {
  crossed(name, two, two$outcome)
  crossed(name, everyone, everyone$group)
}

# Validation: the selection (Wald's p < 0.05 alone, then together) repeated in each resample; what is missing is left
# out of each model and each figure

drawn <- read.csv(arguments[2], row.names = 1, check.names = FALSE)
stopifnot(identical(names(drawn), two$case))
area <- function(outcome, prediction) as.numeric(auc(outcome, prediction, levels = c(0, 1), direction = "<", quiet = TRUE))
build <- function(data) {
  chosen <- Filter(function(name) {
    fit <- glm(reformulate(name, "outcome"), binomial, data, control = tight)
    nrow(summary(fit)$coefficients) == 2 && summary(fit)$coefficients[2, 4] < 0.05
  }, candidates)
  glm(if (length(chosen)) reformulate(chosen, "outcome") else outcome ~ 1, binomial, data, control = tight)
}
perform <- function(fit, data) {
  logit <- predict(fit, data)
  known <- !is.na(logit)
  outcome <- data$outcome[known]; logit <- logit[known]
  c(auc = area(outcome, logit), brier = mean((outcome - plogis(logit))^2),
    slope = coef(glm(outcome ~ logit, binomial, control = tight))[[2]],
    intercept = coef(glm(outcome ~ 1, binomial, offset = logit, control = tight))[[1]])
}
final <- build(two)
apparent <- perform(final, two)
optimism <- 0; outside <- 0; chosen <- setNames(rep(0, length(candidates)), candidates)
bootstraps <- setdiff(rownames(drawn), "fold")
for (name in bootstraps) {
  counts <- unlist(drawn[name, ])
  sample <- two[rep(seq_along(counts), counts), ]
  fit <- build(sample)
  terms <- attr(terms(fit), "term.labels")
  chosen[terms] <- chosen[terms] + 1
  optimism <- optimism + perform(fit, sample) - perform(fit, two)
  outside <- outside + perform(fit, two[counts == 0, ])[c("auc", "brier")]
}
optimism <- optimism / length(bootstraps); outside <- outside / length(bootstraps)
for (figure in names(apparent))
  keep(path("validation", figure), apparent = apparent[[figure]], optimism = optimism[[figure]],
       corrected = apparent[[figure]] - optimism[[figure]])
for (name in candidates) keep(path("validation/chosen", name), share = chosen[[name]] / length(bootstraps))
none <- c(auc = 0.5, brier = mean(outer(final$y, fitted(final), "-")^2))
for (figure in c("auc", "brier")) {
  held <- if (figure == "auc") max(0.5, outside[["auc"]]) else min(none[["brier"]], outside[["brier"]])
  rate <- (held - apparent[[figure]]) / (none[[figure]] - apparent[[figure]])
  if (!is.finite(rate) || rate < 0) rate <- 0
  weight <- 0.632 / (1 - 0.368 * rate)
  keep(path("validation", figure), outside = outside[[figure]], overfitting = rate, weight = weight,
       corrected_632 = (1 - weight) * apparent[[figure]] + weight * held)
}
folds <- unlist(drawn["fold", ])
held_out <- rep(NA, nrow(two)); areas <- c()
for (fold in sort(unique(folds))) {
  test <- folds == fold
  logit <- predict(build(two[!test, ]), two[test, ])
  held_out[test] <- logit
  areas <- c(areas, area(two$outcome[test][!is.na(logit)], logit[!is.na(logit)]))
}
known <- !is.na(held_out)
pooled <- glm(two$outcome[known] ~ held_out[known], binomial, control = tight)
keep("validation/cross", auc = mean(areas), pooled = area(two$outcome[known], held_out[known]),
     brier = mean((two$outcome[known] - plogis(held_out[known]))^2), slope = coef(pooled)[[2]])

numbers <- unlist(figures)
stopifnot(all(is.finite(numbers)))
cat("{\n", paste(sprintf("  \"%s\": %.17g", names(figures), numbers), collapse = ",\n"), "\n}\n", sep = "")
